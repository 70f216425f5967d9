"""A small sound project in a folder: config, sheet, reads or a matrix, reference. Faults are put into its parts."""

import csv
import gzip
import io

import numpy as np
import yaml

BASES = np.array(list("ACGT"))
COLUMNS = ["sample", "fastq_1", "condition", "batch", "donor", "age"]
NAMES = [f"s{i:02}" for i in range(1, 13)]
GTF = "".join(
    f'{chromosome}\tx\texon\t{start}\t{start + 99}\t.\t+\t.\tgene_id "{gene}"; transcript_id "{gene}.t";\n'
    for chromosome, start, gene in (("1", 1, "g1"), ("1", 201, "g2"), ("2", 5, "g3"))
)


def bases(n, seed=0):
    return "".join(np.random.default_rng(seed).choice(BASES, n))


FASTA = f">1 primary\n{bases(400)}\n>2\n{bases(200, 1)}\n"


class Project:
    """`rows` (list of dicts) and `config` (dict) are written by `write`; `raw` (bytes) replaces the sheet's text, `more` is
    added to the config's."""

    def __init__(self, folder, matrix=False):
        self.folder, self.raw, self.name, self.more = folder, None, "samples.tsv", ""
        self.config_as_read = None  # the config as Snakemake reads it, if that differs from `config`
        self.columns = [c for c in COLUMNS if not (matrix and c == "fastq_1")]
        self.rows = [dict(zip(self.columns, self._cells(i, matrix), strict=True)) for i in range(len(NAMES))]
        self.config = {
            "samples": self.name,
            "results": "results",
            "design": {"batch": "batch", "group": "donor"},
            "evaluation": {"folds": 3},
        }
        if matrix:
            self.config["counts"] = "counts.tsv"
            self.file("counts.tsv", self.counts_text())
        else:
            self.config["reference"] = {"fasta": "genome.fa", "gtf": "annotation.gtf"}
            self.file("genome.fa", FASTA)
            self.file("annotation.gtf", GTF)
            for row in self.rows:
                self.file(row["fastq_1"], gzip.compress(b"@r\nACGT\n+\nIIII\n"))

    @staticmethod
    def _cells(i, matrix):
        name = NAMES[i]
        reads = [] if matrix else [f"reads/{name}_R1.fastq.gz"]
        return [name, *reads, "ab"[i % 2], "xyz"[i // 4], f"d{i:02}", str(40 + i)]

    def file(self, name, content=b""):
        """Write a file of the project; returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    @staticmethod
    def counts():
        """(30 genes, 12 samples) integers, of which the first six genes follow the condition."""
        rng = np.random.default_rng(3)
        means = rng.lognormal(4, 1, 30)[:, None] * np.ones(12)
        means[:6] *= np.where(np.arange(12) % 2, 4, 1)
        return rng.poisson(means)

    def counts_text(self, values=None, genes=None, names=NAMES, separator="\t"):
        values = self.counts() if values is None else values
        genes = [f"g{i:02}" for i in range(len(values))] if genes is None else genes
        lines = [["gene_id", *names], *([gene, *row] for gene, row in zip(genes, values, strict=True))]
        return "".join(separator.join(map(str, line)) + "\n" for line in lines)

    def cell(self, row, column, value):
        """Set a cell of the sheet; rows are counted from 1, without the header."""
        if column not in self.columns:
            self.columns.append(column)
            for other in self.rows:
                other[column] = ""
        self.rows[row - 1][column] = value

    def fill(self, column, values):
        for number, value in enumerate(values, start=1):
            self.cell(number, column, value)

    def text(self, separator="\t", end="\n"):
        """The sheet as text."""
        out = io.StringIO()
        table = csv.DictWriter(out, self.columns, delimiter=separator, lineterminator=end)
        table.writeheader()
        table.writerows(self.rows)
        return out.getvalue()

    def set(self, key, value):
        """Set a key of the config given as `section.key`."""
        node = self.config
        *parents, last = key.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value

    def write(self):
        """Write sheet and config; returns the config's path."""
        if self.raw is not None or self.name not in ("", None):
            self.file(self.name, self.text().encode() if self.raw is None else self.raw)
        return self.file("config.yaml", yaml.safe_dump(self.config, allow_unicode=True) + self.more)
