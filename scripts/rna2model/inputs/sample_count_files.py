"""Count files of single samples, as STAR, htseq-count, featureCounts, Salmon, kallisto, RSEM and the GDC write them, joined.

The program that wrote a file is recognised by its content, not by its name.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.cohort.tables import opening
from rna2model.core.errors import InputProblem
from rna2model.core.paths import locate
from rna2model.inputs import sheet_text
from rna2model.inputs.sheet_text import COUNTS_FILE, SOURCES
from rna2model.reference import annotation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from rna2model.inputs.sheet import Sample

STRANDS = ("unstranded", "forward", "reverse")
NOT_STORED = (
    "the sheet names a counts_file for each sample, which are not read from object storage; join them into one matrix, and give it"
    " as `counts` of the config"
)
CLEAR, EVEN = (
    0.8,
    0.6,
)  # share of the stronger strand: at least in a stranded, at most in an unstranded library
SUMMARY = ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")
TRANSCRIPT = r"ENS[A-Z]*T\d|[NX][MR]_\d"  # ids of Ensembl and RefSeq
GDC = dict(zip(STRANDS, ("unstranded", "stranded_first", "stranded_second"), strict=True))
FEATURECOUNTS = ["Geneid", "Chr", "Start", "End", "Strand", "Length"]
# program: (columns that its header has, ids, expected counts, TPM)
ESTIMATES = {
    "RSEM, isoforms": ("transcript_id", "gene_id", "expected_count", "TPM"),
    "RSEM": ("gene_id", None, "expected_count", "TPM"),
    "Salmon": ("Name", None, "NumReads", "TPM"),
    "kallisto": ("target_id", None, "est_counts", "tpm"),
}


@dataclass
class CountFile:
    """A cell of the sheet: the file of a sample, its row, and unstranded, forward, reverse or auto."""

    sample: str
    path: str
    row: int | None  # None in a job, which no moved row may repeat
    strandedness: str = "auto"


def read(
    files: Sequence[CountFile], sheet: str | Path, unit: str = "counts", gtf: str | Path | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """(DataFrame genes x samples, notes) of a list of CountFile, as `count_matrix_file.read` gives of a matrix.

    unit : counts, expected_counts or tpm
    gtf : annotation by which transcripts become genes
    InputProblem lists all problems of the files with row and column of `sheet`.
    """
    import pandas as pd

    problems, columns, notes, kinds = _same_files(files, sheet), {}, [], {}
    genes = _genes_of_transcripts(gtf) if gtf else {}
    for file in files:
        try:
            kinds[file.sample], columns[file.sample], more = _column(file, unit, genes)
            notes += [f"{file.sample}: {note}" for note in more]
        except InputProblem as problem:
            problems.append(f"{_place(sheet, file)}: {file.path} {problem}")
        except (OSError, ValueError, EOFError, LookupError) as error:
            problems.append(
                f"{_place(sheet, file)}: {file.path} cannot be read ({getattr(error, 'strerror', None) or error})"
            )
    read_ones = [file for file in files if file.sample in columns]
    for file in read_ones[1:]:
        problems += _differences(sheet, read_ones[0], file, kinds, columns)
    if problems:
        raise InputProblem("\n".join(problems))
    first = columns[files[0].sample].index
    joined = {
        name: column if column.index.equals(first) else column[first] for name, column in columns.items()
    }
    table = pd.DataFrame({name: column.to_numpy() for name, column in joined.items()}, index=first)
    table.attrs["titles"] = {}
    return table, [f"{len(files)} files of {kinds[files[0].sample]} joined", *notes]


def configured(config: dict[str, Any], folders: Sequence[str | Path]) -> dict[str, Any]:
    """The user's config with the sheet as its `counts`, where the sheet names count files and no reads, and nothing else is
    given as `counts`."""
    if config.get("counts") or not isinstance(config.get("samples"), str):
        return config
    path = Path(locate(config["samples"], folders))
    _, columns, _ = sheet_text.read(path) if os.path.isfile(path) else ((), (), ())
    if COUNTS_FILE not in columns or set(SOURCES) & set(columns):
        return config
    return {**config, "counts": config["samples"]}


def are_given(config: Mapping[str, Any]) -> bool:
    """Whether the counts of a complete config are those of the sheet's files."""
    return config["counts"] is not None and config["counts"] == config["samples"]


def problems(samples: Mapping[str, Sample], config: Mapping[str, Any], thorough: bool) -> list[str]:
    """Problems of the files of {name: Sample}; `thorough`: of their content, too."""
    sheet, used = config["samples"], [(name, one) for name, one in samples.items() if not one.exclude]
    problems = [
        f"{sheet} row {one.row}, column {COUNTS_FILE}: is empty; name the file with the counts of {name}"
        for name, one in used
        if not one.counts_file
    ]
    files = [
        CountFile(name, one.counts_file, one.row, one.strandedness) for name, one in used if one.counts_file
    ]
    try:
        if files and thorough:
            read(files, sheet, config["counts_unit"], config["reference"]["gtf"])
    except InputProblem as problem:
        problems += str(problem).split("\n")
    return problems


def _place(sheet, file):
    if file.row is None:
        return f"{sheet}, sample {file.sample}"
    return f"{sheet} row {file.row}, column {COUNTS_FILE}"


def _same_files(files, sheet):
    seen = defaultdict(list)
    for file in files:
        seen[Path(file.path).resolve()].append(file)
    return [
        f"{sheet} rows {', '.join(str(file.row) for file in named)}, column {COUNTS_FILE}: the same file twice: {path}"
        for path, named in seen.items()
        if len(named) > 1
    ]


def _differences(sheet, first, file, kinds, columns):
    """Problems of a file that does not match the first one (program, genes)."""
    kind, other = kinds[file.sample], kinds[first.sample]
    if kind != other:
        return [
            f"{_place(sheet, file)}: {file.path} is of {kind}, {first.path} (row {first.row}) of {other}; count all samples"
            " the same way"
        ]
    genes, others = columns[file.sample].index, columns[first.sample].index
    if genes.equals(others):
        return []
    apart = genes.symmetric_difference(others)
    if not len(apart) and genes.is_unique and others.is_unique:
        return []
    example = f", such as {apart[0]}" if len(apart) else ""
    return [
        f"{_place(sheet, file)}: {file.path} has other genes than {first.path} (row {first.row}): {len(genes)} and"
        f" {len(others)}, {len(apart)} in one of them only{example}; count all samples with the same annotation"
    ]


def _column(file, unit, genes):
    """(program, Series of values by gene id, notes) of one file."""
    import pandas as pd

    with opening.text(file.path) as text:
        lines = [line.rstrip("\n").split("\t") for line in text if line.strip() and not line.startswith("#")]
    if not lines:
        raise InputProblem("is empty")
    header, rows = lines[0], lines[1:]
    for number, cells in enumerate(rows, start=2):
        if len(cells) != len(header):
            raise InputProblem(
                f"ends early or is damaged: line {number} (comments not counted) has {len(cells)} cells, the first"
                f" {len(header)}"
            )
    if set(GDC.values()) <= set(header):
        return "the GDC (STAR)", *_gdc(file, unit, pd.DataFrame(rows, columns=header))
    if header[:6] == FEATURECOUNTS:
        _only_counts(unit, "featureCounts")
        if len(header) != 7:
            raise InputProblem(
                f"has {len(header) - 6} samples, not one; give such a table as `counts` of the config"
            )
        return "featureCounts", _numbers([row[0] for row in rows], [row[6] for row in rows]), []
    for kind, (ids, *_) in ESTIMATES.items():
        if header[0] == ids and set(ESTIMATES[kind][2:]) <= set(header):
            return _estimates(kind, file, unit, genes, pd.DataFrame(rows, columns=header))
    table = pd.DataFrame(lines)
    if len(header) == 4 and set(SUMMARY) <= set(table[0]):
        _only_counts(unit, "STAR")
        table = table.set_axis(["gene_id", *STRANDS], axis=1)
        return "STAR", *_stranded(
            file, table[~table["gene_id"].isin(SUMMARY)], dict(zip(STRANDS, STRANDS, strict=True))
        )
    if len(header) in (2, 3) and table[0].str.startswith("__").any():
        _only_counts(unit, "htseq-count")
        table = table[~table[0].str.startswith("__")]
        return "htseq-count", _numbers(table[0], table.iloc[:, -1]), []
    raise InputProblem(
        "is not what STAR (ReadsPerGene.out.tab), htseq-count, featureCounts, Salmon, kallisto, RSEM or the GDC write of one"
        " sample"
    )


def _only_counts(unit, kind):
    if unit not in ("counts", "expected_counts"):
        raise InputProblem(f"holds counts of {kind}; set counts_unit: counts")


def _numbers(ids, cells):
    """Values by id; InputProblem with the first cell that is no number."""
    import pandas as pd

    text = pd.Series(list(cells), index=pd.Index(list(ids), dtype=object), dtype=object)
    values = pd.to_numeric(text, errors="coerce")
    if values.isna().any():
        gene = values.index[values.isna()][0]
        raise InputProblem(f"gene {gene}: {text[values.isna()].iloc[0]!r} is not a number")
    return values


def _stranded(file, table, columns):
    """(values, notes) by the strandedness of the sample; `columns`: {strandedness: column}."""
    counts_by_strand = {
        strand: _numbers(table["gene_id"], table[column]) for strand, column in columns.items()
    }
    if file.strandedness != "auto":
        return counts_by_strand[file.strandedness], []
    forward, reverse = counts_by_strand["forward"].sum(), counts_by_strand["reverse"].sum()
    share = max(forward, reverse) / max(forward + reverse, 1)
    if EVEN < share < CLEAR:
        raise InputProblem(
            f"counts {forward:g} on the forward and {reverse:g} on the reverse strand, which is neither stranded nor unstranded;"
            " set strandedness in the sheet"
        )
    strand = "unstranded" if share <= EVEN else "forward" if forward > reverse else "reverse"
    return counts_by_strand[strand], [f"taken for {strand} ({forward:g} forward, {reverse:g} reverse)"]


def _gdc(file, unit, table):
    table = table[~table["gene_id"].isin(SUMMARY)]
    if unit == "tpm":
        return _numbers(table["gene_id"], table["tpm_unstranded"]), []
    _only_counts(unit, "the GDC")
    return _stranded(file, table, GDC)


def _estimates(kind, file, unit, genes, table):
    ids, own, expected, tpm = ESTIMATES[kind]
    if unit not in ("expected_counts", "tpm"):
        raise InputProblem(f"holds estimates of {kind}; set counts_unit: expected_counts, or tpm")
    values = _numbers(table[ids], table[tpm if unit == "tpm" else expected])
    if own:
        return kind, values.groupby(table[own].to_numpy(), sort=False).sum(), []
    if kind == "RSEM" or _are_genes(kind, file, values.index, genes):
        return kind, values, []
    if not genes:
        raise InputProblem(
            "holds transcripts; set reference.gtf, by which they are summed to genes, or give a file of genes (Salmon:"
            " quant.genes.sf; tximport for others)"
        )
    names = values.index.str.split("|").str[0]  # GENCODE's FASTA: ENST...|ENSG...|...
    names = [
        name if name in genes else name.rsplit(".", 1)[0] for name in names
    ]  # Ensembl's GTF has no versions
    unknown = [name for name in names if name not in genes]
    if unknown:
        raise InputProblem(
            f"has {len(unknown)} transcripts that reference.gtf has not, such as {unknown[0]}; give the annotation that the"
            " transcripts were quantified with"
        )
    return f"{kind}, transcripts", values.groupby([genes[name] for name in names], sort=False).sum(), []


def _are_genes(kind, file, ids, genes):
    """Whether a file of Salmon, whose header is the same for both, holds genes."""
    if kind != "Salmon" or ids.str.match(TRANSCRIPT).any():
        return False
    if genes and ids.isin(list(genes)).any():
        return False
    return (
        ids.isin(list(genes.values())).any()
        or ids.str.match(r"ENS[A-Z]*G\d").any()
        or "genes.sf" in Path(file.path).name
    )


def _genes_of_transcripts(gtf):
    return {transcript.name: transcript.gene for transcript in annotation.read(gtf).transcripts}
