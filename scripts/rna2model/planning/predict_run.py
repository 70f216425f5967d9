"""The config of a prediction run, written for the user of `make predict`."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from rna2model.core import whole_files
from rna2model.core.errors import InputProblem
from rna2model.serving import manifest

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = "serving.yaml"  # of the last run
RUNS, KEPT = "serving", 20  # folder of the runs in the results, and how many are kept
GENOME, ANNOTATION = r"\.(fa|fasta|fna)(\.gz)?$", r"\.(gtf|gff|gff3)(\.gz)?$"
NAMES = ("name", "annotation")  # keys of `reference` that are not paths
TRAINED = ("models", "splits", "bundle")  # folders of a run that trains


@dataclass(frozen=True)
class Request:
    """What is to be predicted, checked to exist: paths of the bundle, the sheet or the matrix, the results, {keys} of the reference,
    and whether code that the bundle carries may be imported."""

    bundle: Path
    sheet: Path | None
    matrix: Path | None
    results: Path
    reference: dict
    allow_code: bool = False


def look(
    bundle: str | Path,
    samples: str | Path | None = None,
    counts: str | Path | None = None,
    results: str | Path | None = None,
    reference: str | Path | None = None,
    allow_code: bool = False,
) -> Request:
    """The Request for the paths that a user passes; nothing is written.

    The results are beside the sheet (or the matrix) unless `results` says else. InputProblem when something is not there,
    or when the results belong to another kind of run.
    """
    bundle = _there(bundle, "BUNDLE", "the folder of a bundle")
    refusal = manifest.code_refusal(bundle, manifest.read(bundle))
    if refusal and not allow_code:
        raise InputProblem(refusal)
    if not samples and not counts:
        raise InputProblem("give SAMPLES=sheet, or COUNTS=matrix; nothing says what is to be predicted.")
    sheet = _there(samples, "SAMPLES", "a sample sheet") if samples else None
    matrix = _there(counts, "COUNTS", "a count matrix") if counts else None
    results = (
        Path(os.path.abspath(Path(results).expanduser()))
        if results
        else cast("Path", sheet or matrix).parent / "results"
    )
    if not (results / CONFIG).exists() and any((results / name).is_dir() for name in TRAINED):
        raise InputProblem(
            f"{results} holds a run that trained; predictions would change its files. Give RESULTS=another folder."
        )
    if reference:
        reference = _there(reference, "REFERENCE", "a config, or a folder of genome and annotation")
    return Request(bundle, sheet, matrix, results, _reference(reference) if reference else {}, allow_code)


def begin(results: Path) -> Path:
    """Make and return the folder of a new run below `results`; InputProblem if it cannot be made."""
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
    try:
        (results / RUNS / name).mkdir(parents=True)
    except OSError as error:
        raise InputProblem(f"{results}: {error.strerror}; give RESULTS=another folder.") from None
    return results / RUNS / name


def forget_old(results: Path) -> None:
    """Remove the folders of all runs but the last KEPT."""
    for folder in sorted((results / RUNS).iterdir())[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def write(
    request: Request, run: Path | None = None, tell: Callable[[str], object] = lambda note: None
) -> tuple[Path, Path]:
    """(folder to run in, path of the config) of a Request: in the folder `run` of this run, and as the last config beside it.

    `tell` is called with notes on a matrix that comes without a sheet, such as columns that are not samples.
    """
    folder = run or request.results
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "samples": str(request.sheet or _sheet_of(cast("Path", request.matrix), folder, tell)),
        "results": request.results.name,
        "training": {"retrain": "never", "bundle": str(request.bundle), "predict_labelled": True},
    }
    if request.allow_code:
        config["training"]["allow_code"] = True
    if request.matrix:
        config["counts"] = str(request.matrix)
    text = yaml.safe_dump(config | request.reference)
    for path in (request.results / CONFIG, *([run / "config.yaml"] if run else [])):
        whole_files.write(path, "# Written by `make predict`; all else is as the bundle says.\n" + text)
    return request.results.parent, path


def _there(path: str | Path | None, variable: str, what: str) -> Path:
    if not path:
        raise InputProblem(f"{variable}= is missing; give {what}.")
    path = Path(os.path.abspath(Path(path).expanduser()))
    if not path.exists():
        raise InputProblem(f"{variable}={path}: there is no such file or folder; give {what}.")
    return path


def _sheet_of(counts: Path, results: Path, tell: Callable[[str], object]) -> Path:
    """A sheet of all samples of a matrix, by the names that the matrix is read with again."""
    from rna2model.cohort import count_matrix_file, sample_names

    table, notes = count_matrix_file.read(
        counts, "log"
    )  # the bundle defines the unit; here only names are read
    for note in notes:
        tell(f"{counts}: {note}")
    columns = list(table.columns)
    names = [sample_names.for_sheet(column) for column in columns]
    if len(set(names)) < len(names):
        names = columns
    path = results / "samples_of_matrix.tsv"
    whole_files.write(path, "".join(f"{name}\n" for name in ["sample", *names]))
    return path


def ignored_columns(results: Path) -> list[str]:
    """The run's notes on columns of its matrix that it did not read as samples."""
    log = results / "logs" / "import_matrix" / "cohort.log"
    lines = log.read_text().splitlines() if log.is_file() else []
    return [line for line in lines if line.startswith("columns ")]


def _reference(path: Path) -> dict[str, Any]:
    """{config keys} of the reference at `path`: the `reference` (and trimming.rrna) of a config, or the files of a folder."""
    if path.is_dir():
        reference_files = {}
        for key, pattern in (("fasta", GENOME), ("gtf", ANNOTATION)):
            names = sorted(one for one in path.iterdir() if re.search(pattern, one.name, re.I))
            if len(names) != 1:
                candidates = ", ".join(one.name for one in names) or "none"
                raise InputProblem(
                    f"REFERENCE={path}: one {'genome' if key == 'fasta' else 'annotation'} is needed there, found {candidates};"
                    " or give a YAML file with `reference: {fasta: , gtf: }`."
                )
            reference_files[key] = str(names[0])
        return {"reference": reference_files}
    try:
        settings = yaml.safe_load(path.read_text())
        named = {key: value for key, value in settings["reference"].items() if value}
        rrna = (settings.get("trimming") or {}).get("rrna")
        files = {
            key: value if key in NAMES else str((path.parent / Path(value).expanduser()).absolute())
            for key, value in named.items()
        }
        more = {"trimming": {"rrna": str((path.parent / rrna).absolute())}} if rrna else {}
    except (yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputProblem(
            f"REFERENCE={path} is no config with `reference: {{fasta: , gtf: }}`, and no folder."
        ) from None
    return {"reference": files} | more
