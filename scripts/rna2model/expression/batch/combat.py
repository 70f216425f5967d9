"""ComBat with a frozen apply, held to sva's numbers."""

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.expression.batch.base import BatchModel, blocks, least_squares

CONVERGED = 1e-4  # sva's it.sol
ROUNDING = 1e-12


class ComBat(BatchModel):
    """Empirical Bayes shift and scale of each batch (Johnson, Li & Rabinovic 2007; sva::ComBat).

    As in sva: a gene constant within a batch is passed through; with a batch of one sample, or `mean_only`, only the
    means are corrected; a `reference` batch stays as it is and the others are brought to it. With a single training
    batch, which sva refuses, there is nothing to correct and samples are unchanged. Unlike sva, "constant" allows for
    rounding, and what would become NaN there is refused. Protected labels are adjusted for while learning, as sva's
    `mod`; a sample is then scaled around the mean of all training samples, since its own label is not known.

    Attributes
    ----------
    mean_, sd_ : (g,) mean of the training samples (of the reference batch, where there is one), with the protected
        labels in their training mixture, and pooled standard deviation (1 where passed through)
    shift_, scale_ : (n_batches, g) gamma* and sqrt(delta*) on the standardised scale
    """

    method = "combat"
    learned = ("mean_", "sd_", "shift_", "scale_")

    def _learn(self, X, batch, covariates):
        count, genes = len(self.batches_), X.shape[1]
        self.mean_, self.sd_ = np.zeros(genes), np.ones(genes)
        self.shift_, self.scale_ = np.zeros((count, genes)), np.ones((count, genes))
        if count < 2:
            return
        members = [np.flatnonzero(batch == b) for b in range(count)]
        sizes = np.array([len(rows) for rows in members])
        mean_only = self.mean_only or bool((sizes == 1).any())
        solve = least_squares(np.column_stack([np.eye(count)[batch], covariates]))
        used, location, squares = (
            np.zeros(genes, dtype=bool),
            np.zeros((count, genes)),
            np.zeros((count, genes)),
        )
        for columns, values in blocks(X):
            used[columns] = _varies([values[rows] for rows in members])
            standard = self._standardise(values, columns, batch, covariates, solve, sizes)
            for b, rows in enumerate(members):
                location[b, columns] = standard[rows].mean(axis=0)
                squares[b, columns] = ((standard[rows] - location[b, columns]) ** 2).sum(axis=0)
        self.mean_[~used], self.sd_[~used] = 0, 1
        for b, name in enumerate(self.batches_):
            if name != self.reference and used.any():
                posterior = _posterior(sizes[b], location[b, used], squares[b, used], mean_only)
                self.shift_[b, used], self.scale_[b, used] = posterior

    def _standardise(self, values, columns, batch, covariates, solve, sizes):
        """(n, k) residuals of the block around batch-free expectation, in pooled standard deviations; sets its mean_ and
        sd_."""
        count, fitted = len(sizes), solve @ values
        levels, effects = fitted[:count], fitted[count:]
        own = values - covariates @ effects
        if self.reference is None:
            level, counted = sizes @ levels / sizes.sum(), slice(None)
        else:
            place = self.batches_.index(self.reference)
            level, counted = levels[place], batch == place
        sd = np.sqrt(((own - levels[batch])[counted] ** 2).mean(axis=0))
        sd[sd == 0] = 1  # constant in every batch of one sample each: nothing to scale by
        self.mean_[columns], self.sd_[columns] = level + covariates.mean(axis=0) @ effects, sd
        return (own - level) / sd

    def _row(self, row, batch):
        if self.batches_[batch] == self.reference:
            return row
        standard = (row - self.mean_) / self.sd_
        return (standard - self.shift_[batch]) / self.scale_[batch] * self.sd_ + self.mean_

    def _adapt(self, rows):
        used = self.shift_.any(axis=0) & (np.ptp(rows, axis=0) > 0)  # the others were passed through
        if not used.any():  # one training batch: there is nothing to bring rows to
            return rows
        standard = (rows[:, used] - self.mean_[used]) / self.sd_[used]
        location = standard.mean(axis=0)
        squares = ((standard - location) ** 2).sum(axis=0)
        shift, scale = _posterior(len(rows), location, squares, self.mean_only)
        rows[:, used] = (standard - shift) / scale * self.sd_[used] + self.mean_[used]
        return rows


def _varies(members):
    """(g,) genes that vary, beyond rounding, within every batch of two or more samples."""
    several = [
        np.ptp(rows, axis=0) > ROUNDING * np.abs(rows).max(axis=0) for rows in members if len(rows) > 1
    ]
    return np.all(several, axis=0) if several else np.ones(members[0].shape[1], dtype=bool)


def _posterior(n, shift, squares, mean_only):
    """(gamma*, sqrt(delta*)) of a batch of n samples: sva's it.sol / postmean.

    shift, squares : (g,) mean of its standardised values and their sum of squares around it, all that it.sol needs
    """
    if len(shift) < 2:
        raise InputProblem(
            f"combat learns across genes, and {len(shift)} varies within every batch; use none."
        )
    prior_mean, prior_variance = shift.mean(), shift.var(ddof=1)
    if mean_only:
        return (prior_variance * shift + prior_mean) / (prior_variance + 1), np.ones_like(shift)
    variance = squares / (n - 1)
    m, s2 = variance.mean(), variance.var(ddof=1)
    if s2 <= (ROUNDING * m) ** 2:
        raise InputProblem("combat: all genes vary equally in a batch (copies of one gene?); use none.")
    a, b = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
    gamma, delta = shift, variance
    while True:
        new_gamma = (prior_variance * n * shift + delta * prior_mean) / (prior_variance * n + delta)
        new_delta = (0.5 * (squares + n * (shift - new_gamma) ** 2) + b) / (n / 2 + a - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            change = max((np.abs(new_gamma - gamma) / gamma).max(), (np.abs(new_delta - delta) / delta).max())
        gamma, delta = new_gamma, new_delta
        if not change > CONVERGED:
            return gamma, np.sqrt(delta)
