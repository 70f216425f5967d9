"""The fitted preprocessing of a split as one object: normalizer, batch model and features.

Every rule that shows a model something, and the bundle that serves new samples, go through this class: the steps and their
order stand here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from rna2model.expression.batch import registry
from rna2model.expression.features import gene_sets as genesets
from rna2model.expression.features.features import Features
from rna2model.expression.features.features import load as load_features
from rna2model.expression.normalization import methods
from rna2model.training import batch_choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rna2model.expression.batch.base import BatchModel
    from rna2model.expression.normalization.base import Normalizer
    from rna2model.training.split_data import SplitData

PARTS = ("normalizer", "batch_model", "features")


class Preprocessing:
    """Turns counts, batches and covariates of samples into the columns that models see.

    Attributes
    ----------
    normalizer : normalization.base.Normalizer, counts to log2 expression of the kept genes
    batch_model : batch.base.BatchModel, takes out what is of a batch; None while it is not learned yet
    features : features.Features, gene-set scores and covariates; None where models see the genes as they are
    within_sample : whether each sample is seen by itself, neither normalised nor batch-corrected (`shown_to`)
    """

    within_sample = False
    normalizer: Any
    batch_model: Any
    features: Features | None

    def __init__(
        self,
        normalizer: Normalizer | None = None,
        batch_model: BatchModel | None = None,
        features: Features | None = None,
    ) -> None:
        self.normalizer, self.batch_model, self.features = normalizer, batch_model, features

    def fit(
        self,
        data: SplitData,
        expression: Mapping[str, Any],
        unit: str,
        settings: Mapping[str, Any],
        covariates: Mapping[str, str] | None = None,
        gene_sets: str | Path | None = None,
    ) -> Self:
        """Learn all steps from the training samples of a split_data.SplitData; arguments as those of the steps."""
        self.fit_normalizer(data, expression, unit).fit_batch_model(data, expression)
        return self.fit_features(data, settings, covariates, gene_sets) if gene_sets or covariates else self

    def fit_normalizer(self, data: SplitData, expression: Mapping[str, Any], unit: str) -> Self:
        """See normalization.fit, which the rule takes by itself: it depends on none of the later steps."""
        self.normalizer = methods.fit(data, expression, unit)
        return self

    def fit_batch_model(self, data: SplitData, expression: Mapping[str, Any]) -> Self:
        """What sets batches apart, of normalised training samples. Where these chose the method, `scores_` ({method: score})
        says how, and the batch model's `choice_` in full; else it is empty."""
        self.batch_model, self.scores_ = batch_choice.fit(
            expression["batch_correction"],
            self.normalizer.transform(data.counts(data.train)),
            data.batches(data.train),
            data.labels(data.train),
            groups=data.groups(data.train),
            y=data.outcome(data.train),
            task=data.design["task"],
            **batch_choice.settings(expression),
        )
        return self

    def fit_features(
        self,
        data: SplitData,
        settings: Mapping[str, Any],
        covariates: Mapping[str, str] | None,
        gene_sets: str | Path | None = None,
    ) -> Self:
        """Gene-set scores and covariates. settings : the config's `features`; covariates : {column: kind}; gene_sets : GMT file."""
        genes, sets = self.normalizer.genes_, None
        if gene_sets:
            symbols = [data.cohort.symbol_of.get(gene, "") for gene in genes]
            sets = genesets.members(genesets.read_gmt(gene_sets), genes, symbols)
        made = Features(
            genes, sets, score=settings["score"], covariates=covariates, impute=settings["impute"]
        )
        corrected = self.expression(data.counts(data.train), data.batches(data.train))
        self.features = made.fit(corrected, data.covariates(data.train))
        return self

    def shown_to(self, model: Any) -> Preprocessing:
        """What `model`, a class or an object of models, sees: this, or for a model of values within a sample
        (Model.EXPRESSION) the kept genes without normalization, batch correction, gene sets and covariates."""
        if getattr(model, "EXPRESSION", "") != "within_sample" or self.within_sample:
            return self
        alone = Preprocessing(self.normalizer, registry.make("none"))
        alone.batch_model.batches_ = list(self.batch_model.batches_)
        alone.within_sample = True
        return alone

    def transform(
        self,
        counts: Any,
        batches: NDArray[Any],
        covariates: Mapping[str, Sequence[str] | NDArray[Any]] | None = None,
        unseen: str = "uncorrected",
    ) -> NDArray[Any]:
        """(n, len(names)) what models see of samples.

        counts (n, n_genes) of normalizer.gene_ids; batches (n,); covariates {sheet column: (n,) str}, may be left out where
        there are none; unseen : what is done with a batch that training did not have (batch.base.UNSEEN)
        """
        return self.add_features(self.expression(counts, batches, unseen), covariates)

    def expression(self, counts: Any, batches: NDArray[Any], unseen: str = "uncorrected") -> NDArray[Any]:
        """(n, n_kept) log2 expression after batch correction: the first two steps of `transform`."""
        if self.within_sample:
            return self.normalizer.within_sample(counts)
        return self.batch_model.transform(self.normalizer.transform(counts), batches, unseen=unseen)

    def add_features(
        self, expression: NDArray[Any], covariates: Mapping[str, Sequence[str] | NDArray[Any]] | None = None
    ) -> NDArray[Any]:
        """(n, len(names)) of `expression` (n, n_kept): the last step of `transform`."""
        return expression if self.features is None else self.features.transform(expression, covariates)

    @property
    def names(self) -> list[str]:
        """Names of the columns that models see."""
        return self.features.names_ if self.features else self.normalizer.genes_

    @property
    def covariates(self) -> list[str]:
        """Sheet columns that are needed beside counts and batches."""
        return list(self.features.covariates.kinds) if self.features and self.features.covariates else []

    def flags(
        self, covariates: Mapping[str, Sequence[str] | NDArray[Any]] | None, samples: Sequence[str]
    ) -> list[str]:
        """A flag about the covariates of each sample, or an empty text."""
        return self.features.flags(covariates, samples) if self.features else [""] * len(samples)

    def save(
        self,
        normalizer: str | Path | None = None,
        batch_model: str | Path | None = None,
        features: str | Path | None = None,
    ) -> None:
        """Write the parts that have a path, each to its own file."""
        for name, path in zip(PARTS, (normalizer, batch_model, features), strict=True):
            if path:
                getattr(self, name).save(path)


def load(
    normalizer: str | Path, batch_model: str | Path | None = None, features: str | Path | None = None
) -> Preprocessing:
    """The Preprocessing stored in these files; without a path that part is not there (rules fit one part after the other).

    InputProblem where a file is damaged or holds another part.
    """
    return Preprocessing(
        methods.load(normalizer),
        registry.load(batch_model) if batch_model else None,
        load_features(features) if features else None,
    )


def load_splits(inputs: Any, model: Any = None) -> list[Preprocessing]:
    """The Preprocessing of several splits, from a rule's inputs `normalizers`, `batch_models` and `features` (empty where there are none),
    as `model`, a class or an object of models, sees them."""
    paths = inputs.normalizers, inputs.batch_models, inputs.features or [None] * len(inputs.normalizers)
    return [load(*parts).shown_to(model) for parts in zip(*paths, strict=True)]
