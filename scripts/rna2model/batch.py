"""Batch models: learned on training samples without their labels, then applied to one sample at a time."""

import numpy as np

from rna2model import artefact
from rna2model.errors import InputProblem

KIND = "batch_model"
CONVERGED = 1e-4  # sva's it.sol
ROUNDING = 1e-12
UNSEEN = ("uncorrected", "refuse")


class BatchModel:
    """Learns how batches differ; `transform` takes that out of a sample of a known batch.

    Attributes
    ----------
    batches_ : list of str, the training batches, sorted
    corrects_ : bool, whether there is anything to take out (two training batches or more)
    """

    method = "none"
    learned = ()

    def fit(self, X, batches, gene_ids=None):
        """Learn from X (n, g) log2 expression and batches (n,); gene_ids (g,) only name a gene in an error."""
        X, batches = _checked(X, batches, gene_ids)
        self.batches_ = sorted(set(batches.tolist()))
        self._learn(X, np.searchsorted(self.batches_, batches))
        return self

    @property
    def corrects_(self):
        return bool(self.learned) and len(self.batches_) > 1

    def is_known(self, batches):
        """(m,) bool, whether training had the batch."""
        return np.isin(np.asarray(batches).astype(str), self.batches_)

    def transform(self, X, batches, unseen="uncorrected"):
        """(m, g) corrected expression. A sample of a batch that training did not have is left as it is
        (`uncorrected`), or an InputProblem (`refuse`)."""
        if unseen not in UNSEEN:
            raise InputProblem(f"unseen batches are {' or '.join(UNSEEN)}, not {unseen!r}.")
        X, batches = _checked(X, batches)
        X = X.copy()
        known = self.is_known(batches)
        if unseen == "refuse" and self.learned and not known.all():
            raise InputProblem(
                f"batch {str(batches[~known][0])!r} was not in training (batches: {', '.join(self.batches_)}), and"
                " expression.unseen_batch is refuse; use uncorrected to predict such samples, flagged."
            )
        for row in np.flatnonzero(known):
            X[row] = self._row(X[row], self.batches_.index(batches[row]))
        return X

    def save(self, path):
        """Write the fitted model to `path`."""
        arrays = {name: np.asarray(getattr(self, name)) for name in self.learned}
        artefact.write(path, arrays, {"kind": KIND, "method": self.method, "batches": self.batches_})

    def _learn(self, X, batch):
        """Set the attributes of `learned` from X (n, g) and batch (n,) numbers into `batches_`."""

    def _row(self, row, batch):
        return row


class ComBat(BatchModel):
    """Empirical Bayes shift and scale of each batch (Johnson, Li & Rabinovic 2007; sva::ComBat, no covariates).

    As in sva: a gene constant within a batch is passed through; with a batch of one sample only the means
    are corrected. With a single training batch, which sva refuses, there is nothing to correct and samples are
    unchanged. Unlike sva, "constant" allows for rounding, and what would become NaN there is refused.

    Attributes
    ----------
    mean_, sd_ : (g,) grand mean and pooled standard deviation (1 where passed through)
    shift_, scale_ : (n_batches, g) gamma* and sqrt(delta*) on the standardised scale
    """

    method = "combat"
    learned = ("mean_", "sd_", "shift_", "scale_")

    def _learn(self, X, batch):
        count, genes = len(self.batches_), X.shape[1]
        self.mean_, self.sd_ = np.zeros(genes), np.ones(genes)
        self.shift_, self.scale_ = np.zeros((count, genes)), np.ones((count, genes))
        members = [X[batch == b] for b in range(count)]
        sizes = np.array([len(rows) for rows in members])
        used = _varies(members)
        if count < 2 or not used.any():
            return
        members = [rows[:, used] for rows in members]
        batch_means = np.stack([rows.mean(axis=0) for rows in members])
        mean = sizes @ batch_means / sizes.sum()
        pooled = (
            sum(((rows - m) ** 2).sum(axis=0) for rows, m in zip(members, batch_means, strict=True))
            / sizes.sum()
        )
        sd = np.sqrt(pooled)
        flat = sd == 0  # constant in every batch of one sample each: nothing to scale by
        sd[flat] = 1
        standard = [(rows - mean) / sd for rows in members]
        self.mean_[used], self.sd_[used] = mean, sd
        for b, rows in enumerate(standard):
            self.shift_[b, used], self.scale_[b, used] = _posterior(rows, mean_only=bool((sizes == 1).any()))

    def _row(self, row, batch):
        standard = (row - self.mean_) / self.sd_
        return (standard - self.shift_[batch]) / self.scale_[batch] * self.sd_ + self.mean_


def _varies(members):
    """(g,) genes that vary, beyond rounding, within every batch of two or more samples."""
    several = [
        np.ptp(rows, axis=0) > ROUNDING * np.abs(rows).max(axis=0) for rows in members if len(rows) > 1
    ]
    return np.all(several, axis=0) if several else np.ones(members[0].shape[1], dtype=bool)


def _checked(X, batches, gene_ids=None):
    """(X float64, batches str); InputProblem where they do not match or X has NaN or infinities."""
    X, batches = np.asarray(X, dtype=float), np.asarray(batches).astype(str)
    if len(X) != len(batches):
        raise InputProblem(f"{len(X)} samples have {len(batches)} batch names.")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        gene = column + 1 if gene_ids is None else gene_ids[column]
        raise InputProblem(f"row {row + 1}, gene {gene}: {X[row, column]} is not a finite number.")
    return X, batches


def _posterior(rows, mean_only):
    """(gamma*, sqrt(delta*)) of one batch from its standardised rows (n, g): sva's it.sol / postmean."""
    n, shift = len(rows), rows.mean(axis=0)
    if len(shift) < 2:
        raise InputProblem(
            f"combat learns across genes, and {len(shift)} varies within every batch; use none."
        )
    prior_mean, prior_variance = shift.mean(), shift.var(ddof=1)
    if mean_only:
        return (prior_variance * shift + prior_mean) / (prior_variance + 1), np.ones_like(shift)
    variance = rows.var(axis=0, ddof=1)
    m, s2 = variance.mean(), variance.var(ddof=1)
    if s2 <= (ROUNDING * m) ** 2:
        raise InputProblem("combat: all genes vary equally in a batch (copies of one gene?); use none.")
    a, b = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
    gamma, delta = shift, variance
    while True:
        new_gamma = (prior_variance * n * shift + delta * prior_mean) / (prior_variance * n + delta)
        squares = ((rows - new_gamma) ** 2).sum(axis=0)
        new_delta = (0.5 * squares + b) / (n / 2 + a - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            change = max((np.abs(new_gamma - gamma) / gamma).max(), (np.abs(new_delta - delta) / delta).max())
        gamma, delta = new_gamma, new_delta
        if not change > CONVERGED:
            return gamma, np.sqrt(delta)


METHODS = {cls.method: cls for cls in (BatchModel, ComBat)}


def make(method):
    """An unfitted batch model, a key of METHODS."""
    if method not in METHODS:
        raise InputProblem(f"batch correction {method!r} is not one of {', '.join(METHODS)}.")
    return METHODS[method]()


def load(path):
    """The fitted batch model saved at `path`."""
    arrays, settings = artefact.read(path, KIND)
    model = make(settings["method"])
    model.batches_ = settings["batches"]
    for name in model.learned:
        setattr(model, name, arrays[name])
    return model


def confounding(batches, labels):
    """Cramer's V between batch and label (0 none, 1 complete) and their cross table {batch: {label: n}}."""
    batches, labels = np.asarray(batches).astype(str), np.asarray(labels).astype(str)
    rows, columns = sorted(set(batches.tolist())), sorted(set(labels.tolist()))
    table = np.array([[((batches == r) & (labels == c)).sum() for c in columns] for r in rows], dtype=float)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    smaller = min(len(rows), len(columns)) - 1
    v = np.sqrt(((table - expected) ** 2 / expected).sum() / table.sum() / smaller) if smaller else 0.0
    cross = {
        r: {c: int(n) for c, n in zip(columns, line, strict=True)}
        for r, line in zip(rows, table, strict=True)
    }
    return {"cramers_v": float(v), "table": cross}


def check_confounding(batches, labels):
    """InputProblem when every batch has one label only: correction would remove the label with the batch."""
    table = confounding(batches, labels)["table"]
    single = all(sum(count > 0 for count in row.values()) == 1 for row in table.values())
    if single and len(table) > 1 and len(set(np.asarray(labels).astype(str).tolist())) > 1:
        told = "; ".join(
            f"{batch}: {', '.join(k for k, n in row.items() if n)}" for batch, row in table.items()
        )
        raise InputProblem(
            f"batch and target coincide ({told}): correction would remove the label together with the batch."
            " Set expression.batch_correction to none, and do not believe any score of this design."
        )
