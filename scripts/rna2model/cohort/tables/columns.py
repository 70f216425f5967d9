"""Tell columns of samples from columns that describe genes, by name, type and content, the same in training and serving."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

# what is left of the names without case, spaces and marks
OF_GENES = frozenset(
    re.findall(
        r"\w+",
        """
        geneid geneids genename genenames genesymbol genesymbols gene symbol symbols hgncsymbol hgncid hugosymbol mgisymbol
        externalgenename entrezgeneid entrezid entrez entrezgene ncbigeneid ensemblid ensemblgeneid ensembl ensemblgene
        ensembltranscriptid description genedescription genebiotype genetype biotype genelength length len width
        effectivelength efflength efflen meanlength medianlength mergedlength exonlength chr chrom chromosome chromosomename
        seqname seqnames start end strand startposition endposition genestart geneend tss transcriptid transcriptids
        transcriptname transcript tx txid transcriptcount exoncount exons numexons gccontent percentagegenegccontent
        cytoband cytobandname locus probeid probesetid refseq refseqid uniprot uniprotid havanagene taxid
        id ids name idref basemean log2foldchange logfc logcpm lfcse pvalue padj pval fdr adjpval adjustedpvalue qvalue aveexpr
        """,
    )
)
IDS = {  # columns that may name the genes, the best first
    "ensemblgeneid", "ensemblid", "geneid", "geneids", "hugosymbol", "genesymbol", "symbol", "hgncsymbol", "genename", "gene",
    "entrezgeneid", "entrezid", "idref", "id", "name",
}  # fmt: skip
OF_TRANSCRIPTS = {
    "transcriptid",
    "transcriptids",
    "tx",
    "txid",
    "targetid",
    "transcript",
    "ensembltranscriptid",
}


def plain(name: object) -> str:
    """A column's name without case, spaces and marks: `Gene Name` and gene_name are one."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def split(table: pd.DataFrame, samples: Iterable[str] = ()) -> tuple[list[int], list[int]]:
    """(columns of samples, columns that describe genes) of a table, as positions.

    A column is not a sample if its name is that of an annotation or none of its cells is a number, unless `samples`
    names it.
    """
    claimed, kept, described = set(samples), [], []
    for place, name in enumerate(table.columns):
        if name in claimed:
            kept.append(place)
        elif plain(name) in OF_GENES or (not name and _is_empty(table.iloc[:, place])):
            described.append(place)
        else:
            (described if _is_text(table.iloc[:, place]) else kept).append(place)
    return kept, described


def _is_empty(column):
    return column.isna().all()


def _is_text(column):
    """Whether no cell of a column is a number. A sample with some invalid cells is still a sample, and is reported for
    them."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return False
    cells = column.dropna().astype(str).str.replace(",", "", regex=False).str.strip()
    return bool(len(cells)) and not pd.to_numeric(cells.head(1000), errors="coerce").notna().any()
