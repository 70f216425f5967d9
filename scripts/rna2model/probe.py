"""A look at the reference before any job: what its first lines and file names already tell."""

import re
from collections import Counter
from pathlib import Path

from rna2model import annotation, files, reference
from rna2model.errors import InputProblem

MOST_LINES = 20_000
MOST_LETTERS = 1 << 16  # a chromosome may be one line
BASES = set("ACGTURYSWKMBDHVN")  # IUPAC
STAR_GENOME = "2.7.4a"  # of the indexes that STAR 2.7.4a to 2.7.11b write and read
# hisat2 is a script that hands its options to a shell without quotes; STAR ends a path at a quote mark
UNTOLD = {"hisat2": re.compile(r"[^\w./+=@%-]"), "star": re.compile('["]')}
STAR_FILES = ("Genome", "SA", "SAindex", "chrNameLength.txt", "genomeParameters.txt")


def problems(config, whole=True):
    """Problems (list of str) of the reference files of a complete config whose paths exist.

    `whole`: the annotation is there to its end, not only its first lines.
    """
    given, counting = config["reference"], config["quantification"]
    found, names, first = [], set(), None
    try:
        first = first_sequence(given["fasta"])
    except InputProblem as problem:
        found.append(f"config: reference.fasta: {problem}")
    try:
        names = chromosomes(given["gtf"], counting["feature"], counting["attribute"], whole)
    except InputProblem as problem:
        found.append(f"config: reference.gtf: {problem}")
    if first and names and first not in names and {f"chr{first}", first.removeprefix("chr")} & names:
        hint = reference.naming_hint(names, [first])
        found.append(
            f"config: reference.gtf: its chromosomes are named otherwise than the genome's ({first}). {hint}"
        )
    if given["index"]:
        found += index_problems(Path(given["index"]), config["alignment"]["tool"])
    return found


def first_sequence(fasta):
    """Name of the first sequence of a FASTA file."""
    first, _, rest = files.beginning(fasta, MOST_LETTERS).partition("\n")
    if not first.startswith(">"):
        raise InputProblem(f"{fasta} is not FASTA: it does not start with '>'.")
    sequence = "".join(line for line in rest.splitlines() if not line.startswith(">"))
    letters = {letter for letter in sequence.upper() if not letter.isspace()}
    if letters - BASES or ("U" in letters and "T" not in letters):
        shown = " ".join(sorted(letters - BASES)) or "U"
        raise InputProblem(f"{fasta} is no genome: its sequences have the letters {shown}; give DNA.")
    return first[1:].split(maxsplit=1)[0] if first[1:].strip() else ""


def stored_problems(config, store):
    """The same where genome and annotation lie in object storage: by the part of them that is looked at."""
    given = config["reference"]
    with store.beginning(given["fasta"]) as (fasta, _), store.beginning(given["gtf"]) as (gtf, whole):
        here = config | {"reference": given | {"fasta": str(fasta), "gtf": str(gtf)}}
        found = problems(here, whole)
    names = {str(fasta): given["fasta"], str(gtf): given["gtf"]}
    return [re.sub("|".join(map(re.escape, names)), lambda hit: names[hit[0]], text) for text in found]


def chromosomes(gtf, feature, attribute, whole=True):
    """Names of the chromosomes in the first lines of an annotation; InputProblem when nothing could be counted."""
    if next(files.lines(gtf), "").startswith(">"):
        raise InputProblem(f"{gtf} is FASTA; give the annotation here and the genome as reference.fasta.")
    gff3, names, types, complete = annotation.is_gff3(gtf), set(), Counter(), whole
    for place, (number, cells) in enumerate(annotation.lines(gtf)):
        if place == MOST_LINES:
            complete = False
            break
        names.add(cells[0])
        types[cells[2]] += 1
        if cells[2] == feature and not gff3:
            gene = annotation.attributes(cells[8], gff3).get(attribute)
            if not gene:
                raise InputProblem(annotation.no_attribute(gtf, number, feature, attribute))
            annotation.check_id(gtf, number, gene)
    if complete and not types[feature]:
        raise InputProblem(annotation.no_feature(gtf, feature, types))
    return names


def index_problems(folder, tool):
    """Why `folder` is no index of `tool`, as a list of str."""
    where = f"config: reference.index: {folder}"
    try:
        told = hisat2_prefix(folder) if tool == "hisat2" else str(folder)
    except InputProblem as problem:
        return [f"config: reference.index: {problem}"]
    bad = UNTOLD[tool].search(told) if tool in UNTOLD else None
    if bad:
        return [f"{where}: {tool} cannot be told a path with {bad[0]!r}; rename or link it"]
    if tool != "star":
        return []
    missing = [name for name in STAR_FILES if not (folder / name).is_file()]
    if missing:
        return [f"{where} is no STAR index: it lacks {', '.join(missing)}"]
    return _star_version(where, folder / "genomeParameters.txt")


def _star_version(where, parameters):
    """STAR stops at an index of another generation, for each sample anew."""
    words = [line.split() for line in parameters.read_text(errors="replace").splitlines()]
    found = next((line[1] for line in words if len(line) > 1 and line[0] == "versionGenome"), "none")
    if found == STAR_GENOME:
        return []
    return [
        f"{where} is of STAR's index version {found}, {STAR_GENOME} is needed; set it to null to have one built"
    ]


def hisat2_prefix(folder):
    """Path that HISAT2's -x wants, of the one index in `folder`."""
    first = sorted(Path(folder).glob("*.1.ht2*"))
    if len(first) != 1:
        what = "several HISAT2 indexes" if first else "no HISAT2 index (NAME.1.ht2 ... NAME.8.ht2)"
        raise InputProblem(f"{folder} holds {what}; give the folder of one.")
    return str(first[0]).rsplit(".1.ht2", 1)[0]
