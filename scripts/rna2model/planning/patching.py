"""Changes to functions of other packages, made only in the versions that they were tested with."""

import functools
from importlib import metadata


@functools.cache
def version(package):
    """The version of a package that is installed."""
    return metadata.version(package)


def is_tested(installed, tested):
    """Whether a version such as 9.27.1 is one of those `tested`, each with as many numbers as matter, such as 9.27."""
    numbers = installed.split(".")
    return any(numbers[: len(known)] == known for known in (each.split(".") for each in tested))


def patch(package, tested, lost, upstream=None):
    """Decorator of a function that patches `package` (its name on PyPI).

    The function then returns whether it was called. In another version than those `tested` nothing is patched, and the option
    `warn`, a function of a text, is told what is lost.

    upstream : where the package's own behaviour is discussed, or None where nothing is known of it
    """

    def decorate(function):
        @functools.wraps(function)
        def apply(*arguments, warn=None, **options):
            installed = version(package)
            if is_tested(installed, tested):
                function(*arguments, **options)
                return True
            if warn:
                warn(
                    f"rna2model: {package} {installed} is here; this workflow changes it in versions {', '.join(tested)} only."
                    f" Without that {lost}. Install {package} {tested[-1]} to have it (envs/requirements.txt)."
                )
            return False

        apply.package, apply.tested, apply.lost, apply.upstream = package, tested, lost, upstream
        return apply

    return decorate
