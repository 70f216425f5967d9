"""A run that only serves: the config that a user of `make predict` does not have to write."""

import os
import re
from pathlib import Path

import yaml

from rna2model import manifest
from rna2model.errors import InputProblem

CONFIG = "serving.yaml"
GENOME, ANNOTATION = r"\.(fa|fasta|fna)(\.gz)?$", r"\.(gtf|gff|gff3)(\.gz)?$"
TRAINED = ("models", "splits", "bundle")  # folders of a run that trains


def prepare(bundle, samples=None, counts=None, results=None, reference=None, tell=lambda note: None):
    """(folder to run in, path of its config) of predicting `samples` with `bundle`; all given as paths.

    `tell` is called with what is to be known of a matrix that comes without a sheet, such as columns that are no samples.

    The results are beside the sheet (or the matrix) unless `results` says else. InputProblem when something is not there,
    or when the results belong to another kind of run.
    """
    bundle = _there(bundle, "BUNDLE", "the folder of a bundle")
    manifest.read(bundle)
    if not samples and not counts:
        raise InputProblem("give SAMPLES=sheet, or COUNTS=matrix; nothing says what is to be predicted.")
    sheet = _there(samples, "SAMPLES", "a sample sheet") if samples else None
    matrix = _there(counts, "COUNTS", "a count matrix") if counts else None
    results = (
        Path(os.path.abspath(Path(results).expanduser())) if results else (sheet or matrix).parent / "results"
    )
    if not (results / CONFIG).exists() and any((results / name).is_dir() for name in TRAINED):
        raise InputProblem(
            f"{results} holds a run that trained; predictions would change its files. Give RESULTS=another folder."
        )
    try:
        results.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputProblem(f"{results}: {error.strerror}; give RESULTS=another folder.") from None
    config = {
        "samples": str(sheet or _sheet_of(matrix, results, tell)),
        "results": results.name,
        "training": {"retrain": "never", "bundle": str(bundle), "predict_labelled": True},
    }
    if matrix:
        config["counts"] = str(matrix)
    if reference:
        config |= _reference(_there(reference, "REFERENCE", "a config, or a folder of genome and annotation"))
    path = results / CONFIG
    path.write_text("# Written by `make predict`; all else is as the bundle says.\n" + yaml.safe_dump(config))
    return results.parent, path


def _there(path, variable, what):
    if not path:
        raise InputProblem(f"{variable}= is missing; give {what}.")
    path = Path(os.path.abspath(Path(path).expanduser()))
    if not path.exists():
        raise InputProblem(f"{variable}={path}: there is no such file or folder; give {what}.")
    return path


def _sheet_of(counts, results, tell):
    """A sheet of all samples of a matrix, by the names that the matrix is read with again."""
    from rna2model import matrixfile, samplenames

    table, notes = matrixfile.read(counts, "log")  # the unit is the bundle's; here only names are looked at
    for note in notes:
        tell(f"{counts}: {note}")
    columns = list(table.columns)
    names = [samplenames.for_sheet(column) for column in columns]
    if len(set(names)) < len(names):
        names = columns
    path = results / "samples_of_matrix.tsv"
    path.write_text("".join(f"{name}\n" for name in ["sample", *names]))
    return path


def ignored_columns(results):
    """What the run noted about columns of its matrix that it did not read as samples."""
    log = results / "logs" / "import_matrix" / "cohort.log"
    lines = log.read_text().splitlines() if log.is_file() else []
    return [line for line in lines if line.startswith("columns ")]


def _reference(path):
    """{config keys} of the reference at `path`: the `reference` (and trimming.rrna) of a config, or the files of a folder."""
    if path.is_dir():
        found = {}
        for key, pattern in (("fasta", GENOME), ("gtf", ANNOTATION)):
            names = sorted(one for one in path.iterdir() if re.search(pattern, one.name, re.I))
            if len(names) != 1:
                told = ", ".join(one.name for one in names) or "none"
                raise InputProblem(
                    f"REFERENCE={path}: one {'genome' if key == 'fasta' else 'annotation'} is needed there, found {told};"
                    " or give a YAML file with `reference: {fasta: , gtf: }`."
                )
            found[key] = str(names[0])
        return {"reference": found}
    try:
        given = yaml.safe_load(path.read_text())
        named = {key: value for key, value in given["reference"].items() if value}
        rrna = (given.get("trimming") or {}).get("rrna")
        files = {
            key: str((path.parent / Path(value).expanduser()).absolute()) for key, value in named.items()
        }
        more = {"trimming": {"rrna": str((path.parent / rrna).absolute())}} if rrna else {}
    except (yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputProblem(
            f"REFERENCE={path} is no config with `reference: {{fasta: , gtf: }}`, and no folder."
        ) from None
    return {"reference": files} | more
