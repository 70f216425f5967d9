"""`reference: {name: GRCh38, annotation: gencode_v46}`: genome and annotation by name, from a table of addresses.

The table is resources/references.tsv, and before it `references.tsv` in `reference.store`: name, annotation, fasta, gtf (addresses:
https, ftp, file), and if known md5sums (address of the publisher's list), fasta_sha256, gtf_sha256. Files are fetched once, before
any job. What no list or table says of a file is recorded when it is first used (`FILE.json`), and compared from then on.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import json
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model import REPOSITORY
from rna2model.core import fetching, whole_files
from rna2model.core.errors import InputProblem
from rna2model.reference import checksums

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TABLE = REPOSITORY / "resources" / "references.tsv"
OWN_TABLE, SOURCES = "references.tsv", "sources"  # in a store
WITHOUT_STORE = Path("resources/references")  # in the project
NEEDED = ("name", "annotation", "fasta", "gtf")
PROVIDERS = ("Ensembl", "GENCODE", "UCSC", "NCBI")  # of genomepy, as an annotation


def resolve(
    config: dict[str, Any],
    folders: Sequence[str | Path],
    fetch: bool = False,
    tell: Callable[[str], object] = lambda text: None,
    stored: bool = False,
) -> list[str]:
    """Put the files of a named reference into a complete config, in place; return the problems (list of str).

    fetch : download missing files; otherwise only set their paths
    tell : called with a line before each download
    stored : whether the run's files lie in object storage
    """
    reference = config["reference"]
    if not reference["name"] and not reference["annotation"]:
        return []
    try:
        if stored:
            raise InputProblem("a name cannot be used where files lie in object storage; give fasta and gtf")
        both = [key for key in ("fasta", "gtf") if reference[key]]
        if both:
            raise InputProblem(f"reference.{both[0]} is given, too; give files, or name and annotation")
        row = find(reference["name"], reference["annotation"], tables(reference["store"]))
        wanted = ("gtf",) if config["counts"] else ("fasta", "gtf")
        folder = _folder(reference, folders)
        if row is None:
            installed = _by_genomepy(reference["name"], reference["annotation"], folder, fetch, tell)
            return reference.update({key: installed[key] for key in wanted}) or []
        paths = {key: folder / fetching.name_of(row[key]) for key in wanted}
        reference.update({key: str(path) for key, path in paths.items()})
        if fetch:
            _provide(row, paths, tell)
    except InputProblem as problem:
        return [f"config: reference: {problem}"]
    return []


def tables(store: str | Path | None = None) -> list[dict[str, str]]:
    """Rows (list of dict) of all tables, those of the store first."""
    own = Path(store) / OWN_TABLE if store else None
    rows = []
    for path in (own, TABLE):
        if path and path.is_file():
            with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
                read = csv.DictReader(file, delimiter="\t")
                if missing := [column for column in NEEDED if column not in (read.fieldnames or [])]:
                    raise InputProblem(f"{path} lacks the column {missing[0]}; it needs {', '.join(NEEDED)}")
                rows += [{key: (value or "").strip() for key, value in row.items() if key} for row in read]
    return rows


def find(name: str | None, annotation: str | None, rows: Sequence[dict[str, str]]) -> dict[str, str] | None:
    """The row of a name and an annotation; None where genomepy is asked; InputProblem, with what is known, otherwise."""
    if annotation in PROVIDERS and name:
        return None
    for row in rows:
        if (row["name"], row["annotation"]) == (name, annotation):
            return row
    names = list(dict.fromkeys(row["name"] for row in rows))
    of_name = [row["annotation"] for row in rows if row["name"] == name]
    if not name:
        raise InputProblem(f"annotation {annotation} needs a name; known: {', '.join(names)}")
    if not of_name:
        hint = f"{_meant(name, names)}known: {', '.join(names)}"
        raise InputProblem(
            f"name {name} is not known; {hint}. Others: annotation {' or '.join(PROVIDERS)} asks genomepy, or give fasta and gtf"
        )
    what = (
        f"annotation {annotation} of {name} is not known"
        if annotation
        else f"name {name} needs an annotation"
    )
    raise InputProblem(f"{what}; {_meant(annotation, of_name)}known: {', '.join(of_name)}")


def _meant(word, known):
    close = difflib.get_close_matches((word or "").lower(), [one.lower() for one in known], n=1, cutoff=0.7)
    nearest = next((one for one in known if close and one.lower() == close[0]), None)
    return f"did you mean {nearest}? " if nearest else ""


def _folder(reference, folders):
    """Folder of the files: in the store, or in the project if there is no store or it lacks them and is read-only."""
    name = f"{reference['name']}-{reference['annotation']}"
    own = Path(folders[0] if folders else "") / WITHOUT_STORE / name
    if not reference["store"]:
        return own
    shared = Path(reference["store"]) / SOURCES / name
    nearest = next(path for path in (shared, *shared.parents) if path.exists())
    return shared if shared.is_dir() or os.access(nearest, os.W_OK) else own


def _provide(row, paths, tell):
    """Download missing files and verify all checksums; InputProblem lists every file that cannot be downloaded."""
    missing = {key: path for key, path in paths.items() if not path.exists()}
    problems = []
    for key, path in missing.items():
        tell(f"downloading {row[key]} to {path.parent} (once; minutes)")
        try:
            fetching.fetch(row[key], path, row.get("md5sums"), tell)
        except InputProblem as problem:
            problems.append(f"{path.name}: {problem}")
    if problems:
        folder = next(iter(paths.values())).parent
        listed = " and ".join(row[key] for key, path in missing.items() if not path.exists())
        raise InputProblem(
            f"{'; '.join(problems)}. Put into {folder} what is at {listed}, by the same names; then run again"
        )
    for key, path in paths.items():
        _compare(row, key, path)


def _compare(row, key, path):
    """InputProblem if a file's checksum differs from the table, or from the one at its first use."""
    now, record = checksums.checksum(path), path.with_name(path.name + ".json")
    if (stated := row.get(f"{key}_sha256")) and stated.lower() != now:
        raise InputProblem(
            f"{path} is not the file of the table: its sha256 is {now}, not {stated}; remove it"
        )
    try:
        known = json.loads(record.read_text())
        first, when = known["sha256"], known["first_used"]
    except (OSError, ValueError, KeyError, TypeError):
        facts = {"url": row[key], "sha256": now, "size": path.stat().st_size}
        with contextlib.suppress(OSError):  # a store that others look after
            whole_files.write(record, json.dumps(facts | {"first_used": f"{date.today()}"}, indent=1) + "\n")
        return
    if first != now:
        raise InputProblem(
            f"{path} is not what it was when it was first used ({when}): sha256 {first[:12]} then, {now[:12]} now. Remove it to"
            f" have it downloaded again; or, where the new one is right, remove {record.name} beside it"
        )


def _by_genomepy(name, provider, folder, fetch, tell):
    """{key: path} of a genome provided by genomepy."""
    place = folder / name
    paths = {key: _installed(place, pattern) for key, pattern in (("fasta", "*.fa*"), ("gtf", "*.gtf*"))}
    if all(paths.values()) or not fetch:
        return paths
    try:
        import genomepy
    except ImportError:
        raise InputProblem(
            f"annotation {provider} asks genomepy for {name}, which is not installed: install it (pip install genomepy), or put"
            f" {name}.fa and {name}.annotation.gtf into {place}"
        ) from None
    tell(f"genomepy gets {name} of {provider} into {place} (once; minutes)")
    try:
        genomepy.install_genome(name, provider, genomes_dir=str(folder), annotation=True)
    except Exception as error:  # of the network, or of its own, which it does not document
        raise InputProblem(f"genomepy cannot get {name} of {provider}: {error}") from None
    paths = {key: _installed(place, pattern) for key, pattern in (("fasta", "*.fa*"), ("gtf", "*.gtf*"))}
    if lacking := [key for key, path in paths.items() if not path]:
        raise InputProblem(f"genomepy got no {lacking[0]} of {name} from {provider}; name another provider")
    return paths


def _installed(place, pattern):
    """The one matching file, plain or gzipped, that genomepy installed in a folder, or None."""
    ends = (".fa", ".fa.gz", ".gtf", ".gtf.gz")
    names = [path for path in sorted(place.glob(pattern)) if path.name.endswith(ends)]
    return str(names[0]) if names else None
