"""Faults of the configuration. `inject` gets a Project with reads."""

import datetime

import yaml

from tests.faults.case import ACCEPTED, REFUSED, Case


def keys(**changes):
    """Set keys, given as section__key."""

    def inject(project):
        for key, value in changes.items():
            project.set(key.replace("__", "."), value)

    return inject


def more(text):
    """Lines below the config that is otherwise written."""

    def inject(project):
        project.more = text + "\n"
        project.config_as_read = yaml.safe_load(project.write().read_text())  # as Snakemake reads it

    return inject


def key(name, value, message, fault=None):
    fault = fault or f"{name}: {str(value)[:40]!r}"
    return Case(fault, f"config, {name}", lambda project: project.set(name, value), REFUSED, message)


def together(fault, message, **changes):
    return Case(
        fault,
        "config, " + " and ".join(k.replace("__", ".") for k in changes),
        keys(**changes),
        REFUSED,
        message,
    )


def results_is_a_file(project):
    project.file("results", "notes\n")


def results_link_to_sheet(project):
    (project.folder / "out").symlink_to(project.folder)
    project.set("results", "out")


def own_matrix(project):
    project.file("results/counts/matrix.tsv.gz")
    project.set("counts", "results/counts/matrix.tsv.gz")


def own_file(text, function="boosted"):
    """A user's file of models, and the config's line for one of its functions."""

    def inject(project):
        project.file("my_models.py", text)
        project.set("models", [f"my_models.py:{function}"])

    return inject


def age_with_comma(project):
    project.config["design"] |= {"task": "regression", "target": "age"}
    project.cell(3, "age", "41,5")


def age_infinite(project):
    project.config["design"] |= {"task": "regression", "target": "age"}
    project.cell(3, "age", "inf")


def survival(time="5", event="1"):
    def inject(project):
        project.config["design"] |= {"task": "survival", "time": "months", "event": "died"}
        project.fill("months", [str(i + 1) for i in range(12)])
        project.fill("died", ["01"[i % 2] for i in range(12)])
        project.cell(3, "months", time)
        project.cell(3, "died", event)

    return inject


def all_held_out(project):
    project.fill("outside", ["yes"] * 12)
    project.set("evaluation.holdout", "outside")


def label_of_the_holdout(project):
    project.cell(1, "outside", "yes")
    project.cell(1, "condition", "aa")
    project.set("evaluation.holdout", "outside")


def donor_across_holdout(project):
    project.fill("outside", ["yes" if i < 4 else "" for i in range(12)])
    project.cell(5, "donor", project.rows[0]["donor"])
    project.set("evaluation.holdout", "outside")


def batch_is_target(project):
    project.fill("batch", ["p" if i % 2 else "q" for i in range(12)])
    project.set("expression.batch_correction", "combat")


SHELL = "must be a path of letters, digits"
CASES = [
    key("modles", ["mlp"], "unknown key 'modles' (did you mean 'models'?)"),
    key("trimming.tool", "fastpp", "did you mean 'fastp'?"),
    key("evaluation.fold", 3, "config: evaluation: unknown key 'fold'"),
    Case("key that is a number", "config", lambda p: p.config.update({1: 2}), REFUSED, "unknown key 1"),
    Case("key that is empty", "config", lambda p: p.config.update({None: 2}), REFUSED, "unknown key"),
    key("evaluation.folds", "five", "evaluation.folds: must be integer, not 'five'"),
    key("evaluation.folds", 3.0, "evaluation.folds: must be integer, not 3.0"),
    key("evaluation.folds", 1, "must be at least 2"),
    key("evaluation.folds", 10**6, "must be at most 1000"),
    key("evaluation.folds", True, "must be integer, not True"),
    key("evaluation.seed", 2**40, "must be at most 4294967295"),
    key("evaluation.seed", -1, "must be at least 0"),
    key("evaluation", [3], "evaluation: must be object"),
    key("design", "condition", "design: must be object"),
    key("design.target", True, "design.target: must be string, not True", "target: yes, which YAML reads as true"),
    key("results", datetime.date(2024, 1, 1), "config: results: ", "results: a date"),
    key("models", "mlp", "models: must be array, not 'mlp'"),
    key("models", [], "models: "),
    key("models", ["mlp", "mlp"], "models: "),
    key("models", ["oracle"], "'oracle' is not one of"),
    key("models", ["nowhere.py:oracle"], "config: models: no such file: "),
    key("models", ["my_models.py:mlp"], "mlp is a model of rna2model; call your function otherwise"),
    Case("own file does not import", "my_models.py", own_file("x = 1\nimport nothing_like_it\n"), REFUSED, "my_models.py, line 2 (import nothing_like_it): it does not import"),
    Case("own file without the function", "my_models.py", own_file("def bosted(): pass"), REFUSED, "there is no 'boosted' in it (did you mean 'bosted'?)"),
    Case("own function without an estimator", "my_models.py", own_file("def boosted(): return 3"), REFUSED, "returned int, which has no fit"),
    key("qc.min_mapped_pct", float("nan"), "must be number, not nan"),
    key("qc.min_mapped_pct", "20%", "must be number, not '20%'"),
    key("qc.max_rrna_pct", 101, "must be at most 100"),
    key("qc.min_reads", -5, "must be at least 0"),
    key("expression.filter", {"min_mean": float("inf")}, "expression.filter: "),
    key("trimming.adapters", ["ACGT; touch CANARY"], "trimming.adapters: "),
    key("trimming.adapters", ["ACGT\n"], "trimming.adapters: "),
    key("trimming.umi", "NNNN$(touch CANARY)", "trimming.umi: "),
    key("trimming.umi", "NNNN\n", "trimming.umi: "),
    key("trimming.umi", ["", ""], "a list of two, one of them with N"),
    key("trimming.umi", ["XX", "CC"], "a list of two, one of them with N"),
    key("trimming.umi", ["", "NNNN"], "row 13: sample s12 is single-end", "trimming.umi: in R2, which no sample has"),
    key("results", "out; touch CANARY", SHELL),
    key("results", "$(touch CANARY)", SHELL),
    key("results", "my results", SHELL),
    key("results", "-rf", SHELL),
    key("results", "{sample}", SHELL),
    key("results", "~/out", SHELL),
    key("results", ".", "where the run writes samples.tsv", "results: the folder of the sheet"),
    Case("counts of the run itself as its input", "config, counts", own_matrix, REFUSED, "where the run writes counts"),
    Case("results a link to the sheet's folder", "config, results", results_link_to_sheet, REFUSED, "where the run writes samples.tsv"),
    Case("results a file", "the results folder", results_is_a_file, REFUSED, "results is a file; name a folder"),
    key("samples", "absent.tsv", "samples: no such file"),
    key("samples", "reads", "samples: is a folder"),
    key("samples", "x" * 5000, "samples: no such file"),
    key("samples", "~nobody_here/s.tsv", "samples: no such file"),
    key("reference", {"fasta": "genome.fa"}, "reference.gtf is missing"),
    key("reference.fasta", "absent.fa", "reference.fasta: no such file"),
    key("reference.fasta", "reads", "reference.fasta: is a folder"),
    key("reference.index", "genome.fa", "reference.index: is a file, not a folder"),
    key("reference.index", "reads", "is no STAR index: it lacks Genome"),
    key("counts", "absent.tsv", "counts: no such file"),
    key("expression.gene_sets", "genome.fa", "expression.gene_sets: "),
    key("training.pretrained", "genome.fa", "training.pretrained: is a file, not a folder"),
    key("design.target", "disease", "names column 'disease'"),
    key("design.group", "condition", "design.group names 'condition', which is what is predicted"),
    key("design.batch", "condition", "design.batch names 'condition', which is what is predicted"),
    key("evaluation.holdout", "condition", "evaluation.holdout names 'condition', which is what is predicted"),
    key("evaluation.transfer", {"train": "platform=a", "test": "batch=y"}, "evaluation.transfer.train names column 'platform'"),
    key("evaluation.transfer", {"train": "condition=case", "test": "batch=y"}, "evaluation.transfer.train names 'condition', which is what is predicted"),
    key("evaluation.transfer", {"train": "batch=x", "test": "batch=nowhere"}, "no labelled sample has the value 'nowhere'"),
    key("evaluation.transfer", {"train": "batch=x", "test": "batch=x"}, "would be trained on and tested"),
    key("evaluation.transfer", {"train": "batch=x"}, "evaluation.transfer"),
    key("evaluation.transfer", {"train": "batch", "test": "batch=y"}, "evaluation.transfer"),
    key("design.covariates", ["condition"], "which is the target; leave it out"),
    key("design.positive", "casee", "no labelled sample is design.positive 'casee'; its labels are"),
    key("evaluation.subgroups", ["ancestry"], "evaluation.subgroups names column 'ancestry', which the sheet does not have"),
    key("evaluation.subgroups", ["condition"], "evaluation.subgroups names 'condition', which is what is predicted"),
    key("evaluation.subgroups", "sex", "evaluation.subgroups: must be array, not 'sex'"),
    key("design.time", "age", "design.time is for design.task survival"),
    key("counts_unit", "tpm", "with reads leave it out"),
    key("models", ["cox_ridge"], "cox_ridge cannot do classification"),
    key("models", ["clinical"], "clinical needs design.covariates"),
    key("expression.batch_correction", "combat_seq", "has no form that serves new samples"),
    key("expression.reference_batch", "x", "does nothing with batch_correction 'none'"),
    together("STAR counts, HISAT2 aligns", "set alignment.tool star", alignment__tool="hisat2", quantification__tool="star"),
    together("correction without batch", "needs design.batch", design__batch=None, expression__batch_correction="combat"),
    together("reference batch unknown", "no labelled sample is of", expression__batch_correction="combat", expression__reference_batch="q"),
    together("regression of words", "is not a number", design__task="regression"),
    Case("decimal comma in the target", "sheet, a target cell", age_with_comma, REFUSED, "decimals with a point"),
    Case("infinite target", "sheet, a target cell", age_infinite, REFUSED, "row 4, column age"),
    Case("time below zero", "sheet, survival time", survival("-2"), REFUSED, "must be above 0"),
    Case("event in other words", "sheet, survival event", survival(event="maybe"), REFUSED, "says neither event"),
    Case("everything held out", "sheet, hold-out column", all_held_out, REFUSED, "every labelled sample is held out"),
    Case("a label of the hold-out only", "sheet, hold-out column", label_of_the_holdout, REFUSED, "and of no training sample, so that no model can predict it"),
    Case("a donor in and out of the hold-out", "sheet, hold-out column", donor_across_holdout, REFUSED, "in the hold-out"),
    Case("batch and target coincide", "sheet, batch column", batch_is_target, REFUSED, "batch and target coincide"),
    Case("empty section", "config, qc", keys(qc=None), ACCEPTED),
    Case("keys in another order", "config", lambda p: p.config.update(samples=p.config.pop("samples")), ACCEPTED),
    Case("section twice", "config, evaluation", more("evaluation: {seed: 4}"), REFUSED, "config: evaluation is there twice (line "),
    Case("key twice in a section", "config, qc", more("qc: {min_reads: 5, min_reads: 9}"), REFUSED, "config: qc.min_reads is there twice"),
    Case("octal number", "config, qc.min_reads", more("qc: {min_reads: 010}"), REFUSED, "config: qc.min_reads: 010 is not the number"),
    Case("number with a colon", "config, qc.min_reads", more("qc: {min_reads: 1:30}"), REFUSED, "config: qc.min_reads: 1:30 is not the number"),
    Case("1e6, which YAML reads as text", "config, qc.min_reads", more("qc: {min_reads: 1e6}"), REFUSED, "qc.min_reads: must be integer, not '1e6'"),
    Case("number as text", "config, qc.min_reads", keys(qc__min_reads="1000"), REFUSED, "must be integer, not '1000'"),
    Case("anchor and alias", "config, qc", more("qc: {min_reads: &n 5, fastqc_reads: *n}"), ACCEPTED),
    Case("comment and document start", "config", more("# fin\n..."), ACCEPTED),
    key("training.gpus", "yes", "training.gpus: "),
    key("training.gpus", -1, "must be at least 0"),
    key("training.gpu_fallback", "gpu", "training.gpu_fallback: "),
    key("evaluation.leave_one_batch_out", "no", "must be boolean, not 'no'"),
    key("expression.reference_batch", 1, "expression.reference_batch: must be "),
    key("design.covariates", "age", "design.covariates: must be array, not 'age'"),
    key("reference.fasta", ["genome.fa"], "reference.fasta: must be "),
    key("qc", {"min_reads": {"min_reads": {"min_reads": 1}}}, "qc.min_reads: must be integer", "nested too deep"),
    key("evaluation.folds", 10**30, "must be at most 1000", "folds beyond any machine"),
    together("landmarks of classes", "evaluation.landmarks is for design.task survival", evaluation__landmarks=[12]),
    together("survival without columns", "design.time is missing", design__task="survival"),
    together("missing values among counts", "expression.missing 'knn' is for counts_unit log", expression__missing="knn"),
    together("two passes of HISAT2", "alignment.two_pass needs alignment.tool star", alignment__tool="hisat2", alignment__two_pass=True),
    together("adapters without a trimmer", "need a trimming.tool", trimming__tool="none", trimming__poly_a=True),
    together("bundle, but trained again", "are for training.retrain never", training__predict_labelled=True),
    together("protecting the target from no correction", "expression.protect_target does nothing with batch_correction 'none'", expression__protect_target=True),
    together("permuted model that is not there", "mlp is not among models", models=["logistic_l2"], evaluation__permuted_models=["mlp"]),
    together("search of what a model does not have", "config: training.search.logistic_l2: ", training__search={"logistic_l2": {"depth": [3]}}),
    together("a bundle to serve that is not there", "training.retrain never needs a bundle", training__retrain="never"),
]  # fmt: skip
