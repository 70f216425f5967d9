"""Check the configuration against its schema and complete it with the defaults.

Every problem is collected; nothing stops at the first.
"""

import copy
import difflib
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).resolve().parents[2] / "config" / "schemas"
ALWAYS = ["dummy", "logistic_l2", "linear_svm"]  # the floor and the anchors every model is compared with
UNITS_NORMALIZED = {"log": ["none", "rank", "quantile"], "tpm": ["none", "tpm", "clr", "rank", "quantile"]}


@cache
def schema(name):
    """The schema `name` (config or samples) as a dict."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text())


def complete(config):
    """Return (config with defaults, problems: list of str). `config` is what the user wrote."""
    given = {
        key: value for key, value in copy.deepcopy(config).items() if value is not None
    }  # `qc:` with nothing under it
    problems = [_explain(error) for error in Draft202012Validator(schema("config")).iter_errors(given)]
    if problems:
        return None, sorted(problems)
    full = _with_defaults(given, schema("config"))
    if "normalization" not in (config.get("expression") or {}) and full["counts_unit"] in UNITS_NORMALIZED:
        full["expression"]["normalization"] = "none"
    full["shipped_model"] = full["models"][0]
    full["models"] = list(dict.fromkeys([*full["models"], *ALWAYS]))
    return full, _contradictions(full)


def _with_defaults(value, node):
    """`value` completed, its keys in the schema's order: what rules compare must not depend on the user's order."""
    full = {}
    for key, child in node["properties"].items():
        given = value.get(key, copy.deepcopy(child.get("default")))
        full[key] = _with_defaults(given, child) if "properties" in child else given
    return full


def _explain(error):
    """One schema violation in a user's words."""
    where = ".".join(str(part) for part in error.absolute_path)
    place = f"config: {where}" if where else "config"
    if "errorMessage" in error.schema:
        return f"{place}: {error.instance!r} {error.schema['errorMessage']}"
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = [key for key in error.instance if key not in known]
        return "; ".join(f"{place}: unknown key {key!r}{_suggest(key, known)}" for key in unknown)
    if error.validator == "enum":
        return f"{place}: {error.instance!r} is not one of {_listed(error.validator_value)}" + _suggest(
            error.instance, error.validator_value
        )
    if error.validator == "type":
        wanted = error.validator_value
        wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"{place}: must be {wanted}, not {error.instance!r}"
    if error.validator == "maxItems":
        return f"{place}: {error.instance!r}: this version does not use it; leave it empty"
    if error.validator in ("minimum", "maximum"):
        word = "least" if error.validator == "minimum" else "most"
        return f"{place}: must be at {word} {error.validator_value}, not {error.instance!r}"
    return f"{place}: {error.message}"


def _listed(values):
    return ", ".join(str(value) for value in values)


def _suggest(word, known):
    close = difflib.get_close_matches(str(word), [str(item) for item in known], n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (known: {_listed(known)})"


def _contradictions(config):
    """Problems between keys that each are fine alone."""
    return [*_reads_contradictions(config), *_model_contradictions(config)]


def _reads_contradictions(config):
    """Options of trimming, alignment and counting that one of the chosen tools cannot keep."""
    trimming, alignment, counter = config["trimming"], config["alignment"], config["quantification"]["tool"]
    counts_alignments = counter in ("featurecounts", "htseq")
    wrong = {
        "alignment.two_pass needs alignment.tool star": alignment["two_pass"] and alignment["tool"] != "star",
        "quantification.tool star counts while STAR aligns: set alignment.tool star": counter == "star"
        and alignment["tool"] != "star",
        f"alignment.min_mapq, alignment.multimappers primary and trimming.umi need alignments that are counted afterwards;"
        f" quantification.tool {counter} does not count those: use featurecounts or htseq": not counts_alignments
        and (alignment["min_mapq"] > 0 or alignment["multimappers"] == "primary" or trimming["umi"]),
        "trimming.poly_a is a run of its own in Trim Galore: use fastp or cutadapt": trimming["poly_a"]
        and trimming["tool"] == "trim_galore",
        "trimming.adapters and trimming.poly_a need a trimming.tool": trimming["tool"] == "none"
        and (trimming["adapters"] != "auto" or trimming["poly_a"]),
    }
    return [f"config: {text}" for text, is_wrong in wrong.items() if is_wrong]


def _model_contradictions(config):
    problems = []
    design, expression = config["design"], config["expression"]
    needs_batch = {
        "expression.batch_correction": expression["batch_correction"] != "none",
        "evaluation.leave_one_batch_out": config["evaluation"]["leave_one_batch_out"],
    }
    problems += [
        f"config: {key} needs design.batch, the sheet's column that names the batch"
        for key, needed in needs_batch.items()
        if needed and not design["batch"]
    ]
    allowed = UNITS_NORMALIZED.get(config["counts_unit"])
    if allowed and expression["normalization"] not in allowed:
        problems.append(
            f"config: expression.normalization {expression['normalization']!r} needs counts, but counts_unit"
            f" is {config['counts_unit']!r}; use {_listed(allowed)}"
        )
    lengths_needed = (
        config["counts"] and expression["normalization"] in ("tpm", "fpkm") and config["counts_unit"] != "tpm"
    )
    if lengths_needed and not config["reference"]["gtf"]:
        problems.append(
            f"config: expression.normalization {expression['normalization']!r} needs gene lengths: give reference.gtf"
        )
    method = expression["batch_correction"]
    wrong = {
        "expression.reference_batch": expression["reference_batch"] is not None and method != "combat",
        "expression.mean_only": expression["mean_only"] and method != "combat",
        "expression.protect_target": expression["protect_target"] and method not in ("combat", "limma"),
    }
    problems += [
        f"config: {key} does nothing with batch_correction {method!r}"
        for key, given in wrong.items()
        if given
    ]
    if expression["reference_batch"] is not None and config["evaluation"]["leave_one_batch_out"]:
        problems.append(
            "config: expression.reference_batch cannot be kept with evaluation.leave_one_batch_out, which holds that batch out"
        )
    if not config["counts"] and config["counts_unit"] != "counts":
        problems.append("config: counts_unit is for a matrix given as `counts`; with reads leave it out")
    return problems


def locate(path, folders):
    """`path` itself if absolute, else its first existing place in `folders`, else in the first of them."""
    path = Path(path).expanduser()
    if path.is_absolute():
        return path
    places = [Path(folder) / path for folder in folders]
    return next((place for place in places if place.exists()), places[0])


def resolve_files(config, folders):
    """Make the paths of `config` findable from `folders`; return the problems (files that are not there)."""
    problems = []
    reads = not config["counts"]
    wanted = [((), "samples", True), ((), "counts", False)]
    wanted += [(("reference",), key, reads and key != "index") for key in ("fasta", "gtf", "index")]
    wanted += [(("trimming",), "rrna", False), (("training",), "pretrained", False)]
    for parents, key, required in wanted:
        node = config
        for parent in parents:
            node = node[parent]
        name = ".".join([*parents, key])
        if node[key] is None:
            if required:
                problems.append(f"config: {name} is missing; reads need a reference genome and annotation")
            continue
        path = locate(node[key], folders)
        if not path.exists():
            problems.append(f"config: {name}: no such file: {path}")
        node[key] = str(path)
    return problems
