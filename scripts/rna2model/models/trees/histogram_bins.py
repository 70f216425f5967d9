"""Histogram gradient boosting without what scikit-learn spends around the work.

scikit-learn gives every gene to joblib, with a copy of its settings and of Python's warning filters. For 20,000 genes that
takes nine tenths of the time to find the bins, which is most of the time to train. The bins are the same, bit for bit.
The histograms of each node, 20 MB for 20,000 genes, go back to the system with the node, and the next ones are cleared
by it page by page: a sixth of what remains.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

# GNU libc, malloc.h: what mallopt sets, and a size in bytes that no histogram reaches
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, LARGE = -1, -3, 2**30


@contextlib.contextmanager
def quick() -> Iterator[None]:
    """Within it, scikit-learn looks at one gene after the other, in this thread. Not for several threads of one process."""
    from sklearn.ensemble._hist_gradient_boosting import binning

    keep_freed_memory()
    theirs = {
        name: getattr(binning, name, None) for name in ("Parallel", "delayed", "_find_binning_thresholds")
    }
    if None in theirs.values():  # another scikit-learn, which works as it is
        yield
        return
    binning.Parallel, binning.delayed = lambda **_: list, lambda function: function
    binning._find_binning_thresholds = functools.partial(limits, others=theirs["_find_binning_thresholds"])
    try:
        yield
    finally:
        for name, function in theirs.items():
            setattr(binning, name, function)


def keep_freed_memory() -> None:
    """From here on this process keeps freed memory for its next arrays; does nothing without GNU libc's mallopt."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # macOS, musl; Windows has no CDLL(None)
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_TRIM_THRESHOLD, LARGE)
        mallopt(M_MMAP_THRESHOLD, LARGE)


def limits(
    values: NDArray[np.float64],
    max_bins: int,
    sample_weight: NDArray[np.float64] | None = None,
    others: Any = None,
) -> NDArray[np.float64]:
    """Midpoints between the distinct values of one gene, (d - 1,); `others` finds them where d is above max_bins.

    Parameters
    ----------
    values : (n,), finite; sample_weight : (n,) above 0, which matters to `others` only
    """
    distinct = np.sort(values)
    if len(distinct) > 1:
        distinct = distinct[np.concatenate(([True], distinct[1:] != distinct[:-1]))]
    if len(distinct) > max_bins or not np.isfinite(distinct[-1]):  # sorting puts NaN last
        return others(values, max_bins, sample_weight=sample_weight)
    return (distinct[:-1] + distinct[1:]) / 2
