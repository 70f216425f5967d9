"""Changes to functions of other packages, made only in the versions that they were tested with."""

from __future__ import annotations

import functools
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@functools.cache
def version(package: str) -> str:
    """The version of a package that is installed."""
    return metadata.version(package)


def is_tested(installed: str, tested: Iterable[str]) -> bool:
    """Whether a version such as 9.27.1 is one of those `tested`, each with as many numbers as matter, such as 9.27."""
    numbers = installed.split(".")
    return any(numbers[: len(known)] == known for known in (each.split(".") for each in tested))


def patch(
    package: str, tested: Iterable[str], lost: str, upstream: str | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """Decorator of a function that patches `package` (its name on PyPI).

    The function then returns whether it was called. In another version than those `tested` nothing is patched, and the function
    is appended to the option `skipped`, a list, for `messages`.

    lost : what a user lacks without it; upstream : where the package's own behaviour is discussed, or None where nothing is known
    """

    def decorate(function):
        @functools.wraps(function)
        def apply(*arguments, skipped=None, **options):
            if is_tested(version(package), tested):
                function(*arguments, **options)
                return True
            if skipped is not None:
                skipped.append(apply)
            return False

        apply.package, apply.tested, apply.lost, apply.upstream = package, tested, lost, upstream
        return apply

    return decorate


def messages(skipped: Iterable[Any]) -> list[str]:
    """A text for each package of which patches were skipped: what is lost, and what to do."""
    by_package: dict[str, list[Any]] = {}
    for each in skipped:
        by_package.setdefault(each.package, []).append(each)
    return [
        "\n  - ".join(
            [
                f"rna2model: {package} {version(package)} was not tested with this workflow, which changes some functions of"
                f" {', '.join(patches[0].tested)} only (that version: envs/requirements.txt and envs/clouds.txt). Without that",
                *(each.lost for each in patches),
            ]
        )
        for package, patches in by_package.items()
    ]
