"""Which class of base.Model holds a user's model: what its file has under that name decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem
from rna2model.models.own import source

if TYPE_CHECKING:
    from collections.abc import Mapping

TASKS = ("classification", "regression")  # of estimators; networks do all


def class_of(name: str, task: str, code: Mapping[str, str]) -> Any:
    """The class of the user's model `name` for `task`, whose file is imported. code : {"file": its name, "text": what it holds}.

    InputProblem where it cannot be one, with the line of the file where there is one.
    """
    module = source.imported(code)
    if not hasattr(module, name):
        raise InputProblem(f"{code['file']}: there is no {name!r} in it{source.suggestion(module, name)}")
    made = getattr(module, name)
    if not callable(made):
        raise InputProblem(
            f"{code['file']}: {name} is neither a function that returns an estimator nor a torch.nn.Module, but"
            f" {type(made).__name__}"
        )
    searched = source.searched(module, code["file"], name)
    if source.is_module(made):
        from rna2model.models.own import network

        return network.class_of(name, task, code, made, searched)
    if task not in TASKS:
        raise InputProblem(
            f"{code['file']}:{name}: estimators do {' and '.join(TASKS)}, not {task}; leave it out of `models`"
        )
    from rna2model.models.own import estimator

    return estimator.class_of(name, task, code, made, searched)
