"""Count which line types of an annotation cover which genes, and detect transcripts that are named as genes.

Two kinds of files are sound and give counts of nothing, or of a few genes:
* bacteria, archaea, and whatever else NCBI annotates without transcripts: proteins have CDS lines, only RNA genes have `exon`;
* UCSC's table browser: gene_id is the transcript's, so the isoforms of a gene are genes that overlap, and their reads
  are ambiguous.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rna2model.reference.annotation_lines import Owner

LEAST_REACHED = 0.5  # share of the genes that the counted lines must reach
NEARLY_ALL = (
    0.98  # share above which no note is given: some genes have no exons, such as mitochondrial ones of RefSeq
)
SAME_NAME = (
    0.95  # share of genes named as their transcripts from which the file is assumed to use transcript ids
)
MOST_SHARED = 0.2  # share of such genes that have half of their bases in common with another
SOME_SHARED = 0.05
GENE = re.compile(r"([a-zA-Z]+_)*(pseudo)?gene")
PART = re.compile(r"exon|CDS|.*(RNA|transcript)")
OFFERED = ("exon", "CDS", "transcript", "mRNA", "gene", "pseudogene")  # types that it makes sense to count
NAMES = ("gene_name", "gene", "gene_symbol", "gene_id", "geneID", "locus_tag")  # keys that may name a gene


def is_gene(kind: str) -> bool:
    """Whether lines of this type are genes."""
    return bool(GENE.fullmatch(kind))


def is_of_a_gene(kind: str) -> bool:
    """Whether lines of this type are genes, transcripts or parts of them."""
    return bool(GENE.fullmatch(kind) or PART.fullmatch(kind))


class Census:
    """Statistics over the lines passed to `add`. types: {type: lines}; reached: {type: set of the genes that such
    lines have}."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self.reached: defaultdict[str, set[str]] = defaultdict(set)
        self.own: dict[str, bool] = {}  # {gene: whether each of its transcripts is called as the gene}
        # {gene called like its transcript: places of its exons}
        self.places: defaultdict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
        # {key: {such a gene: value of the key}}
        self.names: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def add(self, cells: Sequence[str], values: Mapping[str, str], owners: Iterable[Owner]) -> None:
        """Take a line: its cells, attributes, and list of annotation_lines.Owner."""
        kind = cells[2]
        self.types[kind] += 1
        for owner in owners:
            gene = owner.gene
            if not gene:
                continue
            self.reached[kind].add(gene)
            if owner.is_transcript:
                same = owner.transcript == gene
                self.own[gene] = same and self.own.get(gene, True)
                if same and kind == "exon" and cells[3].isdecimal() and cells[4].isdecimal():
                    self.places[gene].append((cells[0], cells[6], int(cells[3]), int(cells[4])))
                    self._add_names(gene, values, owner.values)

    def _add_names(self, gene, *described):
        for key in NAMES:
            for values in described:
                if values.get(key):
                    self.names[key].setdefault(gene, values[key])

    def genes(self) -> set[str]:
        """The set of all gene ids on any line."""
        return set().union(*self.reached.values())

    def reach(self, feature: str) -> tuple[int, int]:
        """(genes that lines of type `feature` have, all genes), numbers."""
        return len(self.reached.get(feature, ())), len(self.genes())

    def gene_id_is_transcript_id(self) -> bool:
        """Whether (nearly) every gene is called as its one transcript."""
        return bool(self.own) and sum(self.own.values()) >= SAME_NAME * len(self.genes())

    def looks_odd(self, feature: str) -> bool:
        """Whether the lines so far would be a problem, so that more should be read."""
        reached, genes = self.reach(feature)
        return reached < LEAST_REACHED * genes or self.gene_id_is_transcript_id()

    def problem(self, path: str | Path, feature: str) -> str:
        """Why counting `feature` lines is likely a mistake, or an empty text."""
        return self._few_genes(path, feature) or self.isoforms_as_genes(path)

    def _few_genes(self, path, feature):
        reached, genes = self.reach(feature)
        better = self._better(feature)
        if not reached or reached >= LEAST_REACHED * genes or not better or self._is_choice(feature):
            return ""
        return (
            f"{path}: {feature!r} lines reach {reached} of {genes} genes, the others would have no reads;"
            f" set quantification.feature: {better}."
        )

    def _is_choice(self, feature):
        """Whether counting CDS or UTRs is a deliberate choice of the coding genes, since most genes have none."""
        coding = self.reached.get("CDS", set())
        return feature != "exon" and 2 * len(coding & self.reached.get(feature, set())) >= len(coding) > 0

    def _better(self, feature):
        """Line types that cover more genes than `feature`, with their numbers, as text; the largest last."""
        reached = len(self.reached.get(feature, ()))
        more = {kind: len(genes) for kind, genes in self.reached.items() if len(genes) > reached}
        most = max(more.values(), default=0)
        chosen = sorted(
            (kind for kind in OFFERED if more.get(kind, 0) > most / 2), key=lambda kind: more[kind]
        ) or [kind for kind in more if more[kind] == most]
        return " or ".join(f"{kind} ({more[kind]})" for kind in chosen)

    def isoforms_as_genes(self, path: str | Path) -> str:
        """Why genes called like their transcripts would have no reads, or an empty text."""
        if not self.gene_id_is_transcript_id():
            return ""
        shared = self._sharing()
        if not shared or shared < MOST_SHARED * len(self.places):
            return ""
        return (
            f"{path}: its gene ids are those of transcripts (as in files of UCSC's table browser), and {shared} of"
            f" {len(self.places)} share at least half of their bases with another: reads of all isoforms of a gene would be"
            f" ambiguous. {self._way_out()}"
        )

    def _way_out(self):
        for key, name_of_gene in self.names.items():
            if len(name_of_gene) == len(self.places) and len(set(name_of_gene.values())) < 0.9 * len(
                name_of_gene
            ):
                return f"Set quantification.attribute: {key}, which names {len(set(name_of_gene.values()))} genes."
        return (
            "Take a GTF with ids of genes: of Ensembl, GENCODE or NCBI, or the one in the folder bigZips/genes of the genome"
            " at hgdownload.soe.ucsc.edu."
        )

    def notes(self, feature: str) -> list[str]:
        """Notes on genes that are not counted or overlap, as a list of lines."""
        reached, genes = self.reach(feature)
        notes = []
        if reached < NEARLY_ALL * genes:
            better = self._better(feature)
            notes.append(
                f"{feature!r} lines reach {reached} of {genes} genes; the others are not counted"
                + (f" (quantification.feature could be {better})" if better else "")
            )
        shared = self._sharing() if self.gene_id_is_transcript_id() else 0
        if shared and shared >= SOME_SHARED * len(self.places):
            notes.append(
                f"genes are called like their transcripts, and {shared} of {len(self.places)} share at least half of their"
                " bases with another: if those are isoforms, their reads are ambiguous"
            )
        return notes

    def _sharing(self):
        """Number of genes that have half of their bases, on their strand, in common with other genes."""
        edges = defaultdict(list)
        for gene, places in self.places.items():
            for chromosome, strand, start, end in places:
                edges[chromosome, strand] += [(start, 1, gene), (end + 1, -1, gene)]
        covered, common = Counter(), Counter()
        for ends in edges.values():
            active, before = Counter(), 0
            for place, step, gene in sorted(ends):
                for one in active if place > before else ():
                    covered[one] += place - before
                    common[one] += place - before if len(active) > 1 else 0
                active[gene] += step
                if not active[gene]:
                    del active[gene]
                before = place
        return sum(2 * common[gene] >= covered[gene] for gene in covered)
