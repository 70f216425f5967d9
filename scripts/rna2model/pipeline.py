"""The steps of one split, as the rules and the learning curve take them: each is fitted on the split's training samples."""

from rna2model import batchchoice, features, genesets, models, normalization, selection


def fit_normalizer(data, expression, unit):
    """The normalizer of a splitdata.SplitData; expression: the config's section, unit: its counts_unit."""
    normalizer = normalization.make(
        expression["normalization"],
        gene_ids=data.cohort.genes,
        gene_lengths=data.cohort.lengths,
        gene_filter=expression["filter"],
        unit=unit,
        missing=expression["missing"],
    )
    # groups: only the class sizes are used
    return normalizer.fit(data.counts(data.train), groups=data.labels(data.train))


def fit_batch_model(data, normalizer, expression):
    """(batch model, {method: score} where the training samples chose it, else empty)."""
    return batchchoice.fit(
        expression["batch_correction"],
        normalizer.transform(data.counts(data.train)),
        data.batches(data.train),
        data.labels(data.train),
        groups=data.groups(data.train),
        **batchchoice.settings(expression),
    )


def fit_features(data, normalizer, batch_model, settings, covariates, gene_sets=None):
    """Gene-set scores and covariates; settings: the config's `features`, covariates: {column: kind}, gene_sets: GMT file."""
    sets = None
    if gene_sets:
        symbols = [data.cohort.symbol_of.get(gene, "") for gene in normalizer.genes_]
        sets = genesets.members(genesets.read_gmt(gene_sets), normalizer.genes_, symbols)
    fitted = features.Features(
        normalizer.genes_, sets, score=settings["score"], covariates=covariates, impute=settings["impute"]
    )
    return fitted.fit(data.expression(data.train, normalizer, batch_model), data.covariates(data.train))


def make_model(name, options, seen, **more):
    """An unfitted model with what the config's `training` says of it (planning/tool_options.py).

    seen : names of the columns the model will see, which pretrained weights are matched to; more : as models.make
    """
    more |= {
        key: options[key] for key in ("imbalance", "calibration", "threshold", "positive") if key in options
    }
    if name in models.TORCH:
        more["seeds"] = options.get("seeds", 1)
        if options.get("pretrained"):
            from rna2model.models import pretrained

            more["pretrained"] = pretrained.read(options["pretrained"], name, seen)
    return models.make(name, search=options.get("search", {}).get(name), **more)


def seen(normalizer, fitted_features):
    """Names of the columns that models see."""
    return fitted_features.names_ if fitted_features else normalizer.genes_


def train(model, data, artefacts, settings, seed, log=print):
    """`model` fitted to the training samples; artefacts: splitdata.artefacts, settings: the config's `features`."""
    select = selection.make(settings, features=artefacts[-1], seed=seed, sees=model.SEES)
    expression = data.expression(data.train, *artefacts)
    return model.fit(
        expression, data.outcome(data.train), groups=data.groups(data.train), select=select, log=log
    )
