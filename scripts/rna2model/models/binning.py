"""The bins of histogram gradient boosting, found without what scikit-learn spends around the work.

scikit-learn gives every gene to joblib, with a copy of its settings and of Python's warning filters. For 20,000 genes that
takes nine tenths of the time to find the bins, which is most of the time to train. The bins are the same, bit for bit.
"""

import contextlib
import functools

import numpy as np


@contextlib.contextmanager
def quick():
    """Within it, scikit-learn looks at one gene after the other, in this thread. Not for several threads of one process."""
    from sklearn.ensemble._hist_gradient_boosting import binning

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


def limits(values, max_bins, sample_weight=None, others=None):
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
