"""The model without genes, the baseline of all others."""

import numpy as np

from rna2model.core import artefact
from rna2model.models import base


class Dummy(base.Model):
    """Class frequencies of the training samples, for every sample.

    Attributes
    ----------
    priors_ : (K,) float64
    """

    name = "dummy"
    ADJUSTED = False

    def _fit(self, X, y, folds, log):
        self.priors_ = np.bincount(y, minlength=len(self.classes_)) / len(y)
        log(
            f"dummy: class frequencies {dict(zip(self.classes_, self.priors_.round(3).tolist(), strict=True))}"
        )

    def _scores(self, row):
        return self.priors_

    def _arrays(self):
        return {"priors": self.priors_}

    def _restore(self, folder):
        self.priors_ = artefact.read(folder / base.WEIGHTS, self.name)[0]["priors"]
