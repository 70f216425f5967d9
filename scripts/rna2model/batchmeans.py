"""Batch models that move means only: limma's, and centring."""

import numpy as np

from rna2model.batchmodel import BatchModel, coefficients


class Shift(BatchModel):
    """A batch is a shift of each gene.

    Attributes
    ----------
    shift_ : (n_batches, g) what is taken from a sample of the batch
    """

    learned = ("shift_",)

    def _row(self, row, batch):
        return row - self.shift_[batch]


class Limma(Shift):
    """limma::removeBatchEffect (Ritchie et al. 2015): batch coefficients that add up to zero, by least squares beside the
    protected labels (its `design`)."""

    method = "limma"

    def _learn(self, X, batch, covariates):
        count = len(self.batches_)
        self.shift_ = np.zeros((count, X.shape[1]))
        if count < 2:
            return
        contrasts = np.vstack([np.eye(count - 1), -np.ones(count - 1)])  # contr.sum
        others = np.zeros((len(X), 0)) if covariates is None else covariates
        fitted = coefficients(np.column_stack([np.ones(len(X)), others, contrasts[batch]]), X)
        self.shift_ = contrasts @ fitted[1 + others.shape[1] :]


class Center(Shift):
    """Each batch to the mean of all training samples, without labels (Sims et al. 2008, batch mean-centering).

    Right where batches have the same mixture of classes; where they have not, it takes class differences with it.
    """

    method = "center"

    def _learn(self, X, batch, covariates):
        count = len(self.batches_)
        self.shift_ = np.stack([X[batch == b].mean(axis=0) for b in range(count)]) - X.mean(axis=0)
