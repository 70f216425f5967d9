"""Checks of the reference before any job, by its first lines and file names."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import files
from rna2model.core.errors import InputProblem
from rna2model.reference import annotation, genome, star_index

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LINES = 20_000
MOST_READ = (
    1_000_000  # lines of an annotation whose first lines look odd, which one of a large genome does not
)
MOST_LETTERS = 1 << 16  # a chromosome may be one line
BASES = set("ACGTRYSWKMBDHVN")  # IUPAC, of DNA
# hisat2 is a script that hands its options to a shell without quotes; STAR ends a path at a quote mark
UNTOLD = {"hisat2": re.compile(r"[^\w./+=@%-]"), "star": re.compile('["]')}


def problems(config: Mapping[str, Any], whole: bool = True, thorough: bool = False) -> list[str]:
    """Problems (list of str) of the reference files of a complete config whose paths exist.

    `whole`: the annotation is there to its end, not only its first lines. `thorough`: read on where those look odd, and
    compare a given index with the annotation, which takes seconds.
    """
    reference, counting = config["reference"], config["quantification"]
    problems, names, first = [], set(), None
    try:
        first = first_sequence(reference["fasta"])
    except InputProblem as problem:
        problems.append(f"config: reference.fasta: {problem}")
    try:
        names = chromosomes(reference["gtf"], counting["feature"], counting["attribute"], whole, thorough)
    except InputProblem as problem:
        problems.append(f"config: reference.gtf: {problem}")
    if first and names and first not in names and {f"chr{first}", first.removeprefix("chr")} & names:
        hint = genome.naming_hint(names, [first])
        problems.append(
            f"config: reference.gtf: its chromosomes are named otherwise than the genome's ({first}). {hint}"
        )
    if reference["index"]:
        counts = counting["tool"] == "star"
        wrong = index_problems(Path(reference["index"]), config["alignment"]["tool"], counts)
        if counts and thorough and not wrong and not problems:
            wrong = star_index.differences(
                reference["index"], reference["gtf"], counting["feature"], counting["attribute"]
            )
        problems += wrong
    return problems + rrna_problems(config["trimming"]["rrna"])


def first_sequence(fasta: str | Path) -> str:
    """Name of the first sequence of a FASTA file with a genome."""
    name, letters = _first_letters(fasta)
    if letters - BASES:
        shown = " ".join(sorted(letters - BASES))
        raise InputProblem(f"{fasta} is no genome: its sequences have the letters {shown}; give DNA.")
    return name


def _first_letters(fasta):
    """(name of the first sequence, set of the letters of the first sequences) of a FASTA file."""
    first, _, rest = files.beginning(fasta, MOST_LETTERS).partition("\n")
    if not first.startswith(">"):
        raise InputProblem(f"{fasta} is not FASTA: it does not start with '>'.")
    sequence = "".join(line for line in rest.splitlines() if not line.startswith(">"))
    letters = {letter for letter in sequence.upper() if not letter.isspace()}
    return first[1:].split(maxsplit=1)[0] if first[1:].strip() else "", letters


def rrna_problems(path: str | Path | None) -> list[str]:
    """Why trimming.rrna cannot be the sequences of ribosomal RNA, as a list of str. U for T is fine, and any names."""
    if not path:
        return []
    try:
        _, letters = _first_letters(path)
    except InputProblem as problem:
        return [f"config: trimming.rrna: {problem}"]
    if odd := letters - BASES - {"U"}:
        what = "an alignment with gaps; give the sequences without" if odd <= set("-.") else "no RNA or DNA"
        return [
            f"config: trimming.rrna: {path} is {what}: its sequences have the letters {' '.join(sorted(odd))}."
        ]
    if not letters:
        return [f"config: trimming.rrna: {path} holds no sequence."]
    return []


def stored_problems(config: dict[str, Any], store: Any) -> list[str]:
    """Like `problems`, for files in object storage, of which only the beginning is read."""
    reference, rrna = config["reference"], config["trimming"]["rrna"]
    with ExitStack() as stack:
        fasta, gtf = (stack.enter_context(store.beginning(reference[key])) for key in ("fasta", "gtf"))
        here = config | {"reference": reference | {"fasta": str(fasta[0]), "gtf": str(gtf[0])}}
        names = {str(fasta[0]): reference["fasta"], str(gtf[0]): reference["gtf"]}
        if rrna:
            part, _ = stack.enter_context(store.beginning(rrna))
            here["trimming"] = config["trimming"] | {"rrna": str(part)}
            names[str(part)] = rrna
        of_copies = problems(here, gtf[1], thorough=True)
    return [re.sub("|".join(map(re.escape, names)), lambda hit: names[hit[0]], text) for text in of_copies]


def chromosomes(
    gtf: str | Path, feature: str, attribute: str, whole: bool = True, thorough: bool = False
) -> set[str]:
    """Names of the chromosomes in the first lines of an annotation; InputProblem when it cannot be counted with.

    `whole`, `thorough`: as for `problems`.
    """
    if next(files.lines(gtf), "").startswith(">"):
        raise InputProblem(f"{gtf} is FASTA; give the annotation here and the genome as reference.fasta.")
    names, seen, complete = annotation.look(gtf, feature, attribute, MOST_LINES)
    if thorough and not complete and seen.looks_odd(feature):
        names, seen, complete = annotation.look(gtf, feature, attribute, MOST_READ)
    if complete and whole:
        if not seen.types[feature]:
            raise InputProblem(annotation.no_feature(gtf, feature, seen.types))
        if problem := seen.problem(gtf, feature):
            raise InputProblem(problem)
    elif thorough and (problem := seen.isoforms_as_genes(gtf)):
        raise InputProblem(problem)
    return names


def index_problems(folder: Path, tool: str, counts: bool = False) -> list[str]:
    """Why `folder` is not an index of `tool`, as a list of str. `counts`: STAR is to count genes, too."""
    where = f"config: reference.index: {folder}"
    try:
        argument = hisat2_prefix(folder) if tool == "hisat2" else str(folder)
    except InputProblem as problem:
        return [f"config: reference.index: {problem}"]
    bad = UNTOLD[tool].search(argument) if tool in UNTOLD else None
    if bad:
        return [f"{where}: {tool} cannot be told a path with {bad[0]!r}; rename or link it"]
    if tool != "star":
        return []
    return star_index.problems(folder, counts)


def hisat2_prefix(folder: str | Path) -> str:
    """Path that HISAT2's -x wants, of the one index in `folder`."""
    first = sorted(Path(folder).glob("*.1.ht2*"))
    if len(first) != 1:
        what = "several HISAT2 indexes" if first else "no HISAT2 index (NAME.1.ht2 ... NAME.8.ht2)"
        raise InputProblem(f"{folder} holds {what}; give the folder of one.")
    return str(first[0]).rsplit(".1.ht2", 1)[0]
