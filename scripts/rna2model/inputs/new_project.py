"""Write samples.tsv and config.yaml of a new project, and list the samples found and the fields left to fill in."""

from __future__ import annotations

import csv
import io
import os
import shlex
from collections import defaultdict
from pathlib import Path

from rna2model import REPOSITORY
from rna2model.core.errors import InputProblem
from rna2model.inputs import make_sheet

CONFIG = """\
# What a run needs. FILL IN what is marked so; all other keys, with their defaults: config/README.md of rna2model.
samples: samples.tsv  # FILL IN its column condition; a sample whose cell stays empty is only predicted
results: results      # folder that the run writes
reference:
  fasta: null         # FILL IN the genome: FASTA, gzipped or not
  gtf: null           # FILL IN its annotation: GTF or GFF3, with the same names of chromosomes
design:
  target: condition   # the column to predict
  batch: {batch}
  group: null         # the column of donors or animals, where several samples are of one
models: [logistic_l2, random_forest]  # the first is the one that is shipped
"""
BATCH = "batch        # by flowcell, run or lane, as the files' names say: check it"
NO_BATCH = "null         # the column of known batches, if there are any"


def make(folder: str | Path, out: str | Path) -> tuple[str, bool]:
    """Write `out`/samples.tsv and `out`/config.yaml for the FASTQ files below `folder`; return (text, complete).

    `complete`: whether no file was left out that the user has to look at. Raises InputProblem, with nothing
    written, where there is no sample or one of the two files exists.
    """
    out = Path(os.path.realpath(out))
    sheet, config = out / "samples.tsv", out / "config.yaml"
    for path in (sheet, config):
        if os.path.lexists(path):
            raise InputProblem(
                f"{path} exists and stays as it is; name another folder (make sheet FASTQ=... OUT=folder), or remove it"
            )
    samples, left = make_sheet.find(folder)
    if not samples:
        raise InputProblem(
            "\n".join([f"{folder}: no sample was found, so nothing was written", *_left_out(left)])
        )
    batches = make_sheet.batches(samples)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, text in (
            (sheet, _sheet(samples, batches, out)),
            (config, CONFIG.format(batch=BATCH if batches else NO_BATCH)),
        ):
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise InputProblem(f"{out}: cannot be written ({error.strerror}); name another folder") from error
    lines = [*_summary(samples, left), *_left_out(left), *_next(sheet, config, samples)]
    return "\n".join(lines), all(entry.expected for entry in left)


def _sheet(samples, batches, out):
    """The sheet's text: a row per lane."""
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\n")
    table.writerow(
        ["sample", "fastq_1", "fastq_2", "strandedness", "condition", *(["batch"] if batches else [])]
    )
    for sample in samples:
        for first, second in sample.lanes:
            paths = [_from(out, first), _from(out, second) if second else ""]
            table.writerow([sample.name, *paths, "auto", "", *([batches[sample.name]] if batches else [])])
    return text.getvalue()


def _from(folder, path):
    """`path` as the sheet in `folder` names it: relative below it or beside it, else absolute."""
    relative = os.path.relpath(path, folder)
    if relative.startswith(os.path.join("..", "..")):
        return str(path)
    plain = relative[0].isalnum() or relative[0] in "._"  # a cell must not begin with ~, # or a space
    return relative if plain else os.path.join(".", relative)


def _summary(samples, left):
    paired = sum(sample.is_paired for sample in samples)
    files = sum(len(sample.lanes) * (2 if sample.is_paired else 1) for sample in samples)
    several = [sample for sample in samples if len(sample.lanes) > 1]
    yield (
        f"{len(samples)} sample{'s' if len(samples) > 1 else ''}: {paired} paired-end, {len(samples) - paired} single-end;"
        f" {len(several)} with several lanes ({sum(len(sample.lanes) for sample in samples)} lanes in all);"
        f" {files} of {files + len(left)} FASTQ files are in the sheet"
    )
    if 0 < paired < len(samples):
        names = [sample.name for sample in samples if not sample.is_paired]
        yield f"single-end beside paired-end, is R2 missing? {_listed(names)}"
    for sample in samples:
        if sample.name != sample.written:
            yield f"renamed for the sheet: {sample.written!r} is {sample.name}"
        if places := _places(sample):
            yield (
                f"one sample in several {places[0]}: {sample.name} ({', '.join(places[1])}): are these lanes or runs of one"
                " library? Copies of the same reads would be counted twice"
            )


def _places(sample):
    """(what, names) of several folders, flowcells or libraries that a sample's lanes come from; or None."""
    libraries = {name.part for name in sample.names if name.scheme == "novogene"}
    for what, names in (
        ("folders", {str(first.parent) for first, _ in sample.lanes}),
        ("flowcells", {name.flowcell for name in sample.names}),
        ("libraries", libraries),
    ):
        if len(names) > 1:
            return what, sorted(names)
    return None


def _listed(names):
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _left_out(left):
    """Lines on files left out of the sheet, grouped by reason; those that the user has to look at come first."""
    reasons = defaultdict(list)
    for entry in sorted(left, key=lambda entry: entry.expected):
        reasons[entry.expected, entry.why].append(entry.path)
    for (expected, why), paths in reasons.items():
        yield f"{'left out' if expected else 'LEFT OUT, please look'}: {why}"
        yield from (f"  {str(path).encode(errors='backslashreplace').decode()}" for path in paths)


def _next(sheet, config, samples):
    run = ["--configfile", str(config), "--cores", str(os.cpu_count() or 1), "-d", str(config.parent)]
    yield f"written: {sheet}"
    yield f"written: {config}"
    yield "next:"
    yield f"  1. fill in the column condition of {sheet.name}" + (
        " (the same in all lanes of a sample)" if any(len(sample.lanes) > 1 for sample in samples) else ""
    )
    yield f"  2. fill in reference.fasta and reference.gtf in {config.name}"
    yield f"  3. in {REPOSITORY}, after `make setup`:"
    yield f"     .venv/bin/snakemake $(cat .venv/snakemake_options) --profile profiles/local {shlex.join(run)}"
