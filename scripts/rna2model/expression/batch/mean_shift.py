"""Batch models that move means only: limma's, and centring."""

import numpy as np

from rna2model.expression.batch.base import BatchModel, blocks, least_squares


class Shift(BatchModel):
    """A batch is a shift of each gene.

    Attributes
    ----------
    shift_ : (n_batches, g) what is taken from a sample of the batch
    mean_ : (g,) where the batches are brought to
    """

    learned = ("shift_", "mean_")

    def _row(self, row, batch):
        return row - self.shift_[batch]

    def _adapt(self, rows):
        return rows - rows.mean(axis=0) + self.mean_


class Limma(Shift):
    """limma::removeBatchEffect (Ritchie et al. 2015): batch coefficients that add up to zero, by least squares beside the
    protected labels (its `design`)."""

    method = "limma"

    def _learn(self, X, batch, covariates):
        count = len(self.batches_)
        self.shift_, self.mean_ = np.zeros((count, X.shape[1])), X.mean(axis=0, dtype=float)
        if count < 2:
            return
        contrasts = np.vstack([np.eye(count - 1), -np.ones(count - 1)])  # contr.sum
        solve = least_squares(np.column_stack([np.ones(len(X)), covariates, contrasts[batch]]))
        after = 1 + covariates.shape[1]
        for genes, values in blocks(X):
            fitted = solve @ values
            self.shift_[:, genes] = contrasts @ fitted[after:]
            self.mean_[genes] = fitted[0] + covariates.mean(axis=0) @ fitted[1:after]


class Center(Shift):
    """Each batch to the mean of all training samples, without labels (Sims et al. 2008, batch mean-centering).

    Right where batches have the same mixture of classes; where they have not, it takes class differences with it.
    """

    method = "center"

    def _learn(self, X, batch, covariates):
        count = len(self.batches_)
        self.mean_ = X.mean(axis=0, dtype=float)
        self.shift_ = np.stack([X[batch == b].mean(axis=0, dtype=float) for b in range(count)]) - self.mean_
