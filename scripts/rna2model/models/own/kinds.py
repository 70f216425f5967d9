"""Which class of base.Model holds a user's model: what its file has under that name decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem
from rna2model.models.own import source

if TYPE_CHECKING:
    from collections.abc import Mapping

TASKS = ("classification", "regression")


def class_of(name: str, task: str, code: Mapping[str, str]) -> Any:
    """The class of the user's model `name` for `task`, whose file is imported. code : {"file": its name, "text": what it holds}.

    InputProblem where it cannot be one, with the line of the file where there is one.
    """
    if task not in TASKS:
        raise InputProblem(
            f"{code['file']}:{name}: estimators do {' and '.join(TASKS)}, not {task}; leave it out of `models`"
        )
    module = source.imported(code)
    if not hasattr(module, name):
        raise InputProblem(f"{code['file']}: there is no {name!r} in it{source.suggestion(module, name)}")
    made = getattr(module, name)
    if not callable(made):
        raise InputProblem(
            f"{code['file']}: {name} is no function that returns an estimator, but {type(made).__name__}"
        )
    if source.is_module(made):
        raise InputProblem(
            f"{code['file']}: {name} is a torch module; here a function that returns an estimator of scikit-learn is needed"
        )
    from rna2model.models.own import estimator

    return estimator.class_of(name, task, code, made, source.searched(module, code["file"], name))
