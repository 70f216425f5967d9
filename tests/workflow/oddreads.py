"""Libraries of reads as sequencers and their software really deliver them, with the truth of each fragment.

Every kind of fragment that some tool counts otherwise than others is in them: mates of which one is short, foreign or on
another gene, chimeras, reads marked as failed, names that several fragments share.
"""

import gzip
import random

BASES, LENGTH, INSERT = "ACGT", 75, 200
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
# Kinds whose fragments must be counted in their gene, and kinds that may be, by what the aligner makes of them.
SURE = ("plain", "short", "very_short", "failed", "shared_name")
MAYBE = (
    "foreign_short_r2",
    "foreign_short_r1",
    "foreign_r2",
    "foreign_r1",
    "two_genes",
    "same_strand",
    "ends_of_gene",
)
MAYBE += ("chimera", "shared_name_and_foreign")


class World:
    """A genome of two chromosomes with genes that do not overlap, every third one spliced."""

    def __init__(self, seed=1):
        rng = random.Random(seed)
        self.genome = {name: "".join(rng.choices(BASES, k=60_000)) for name in ("1", "2")}
        self.genes, place = {}, 0
        for chromosome in self.genome:
            for start in range(1000, 57_000, 2800):
                exons = (
                    [(start, start + 899)]
                    if place % 3
                    else [(start, start + 449), (start + 900, start + 1349)]
                )
                self.genes[f"g{place:02}"] = chromosome, "+-"[place % 2], exons
                place += 1

    def write(self, folder):
        """genome.fa and annotation.gtf."""
        (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in self.genome.items()))
        lines = [
            f'{chromosome}\tx\texon\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{gene}"; transcript_id "{gene}.t";\n'
            for gene, (chromosome, strand, exons) in self.genes.items()
            for start, end in exons
        ]
        (folder / "annotation.gtf").write_text("".join(lines))

    def transcript(self, gene):
        chromosome, strand, exons = self.genes[gene]
        text = "".join(self.genome[chromosome][start - 1 : end] for start, end in exons)
        return text if strand == "+" else reverse(text)


def reverse(text):
    return text.translate(COMPLEMENT)[::-1]


class Library:
    """Read pairs of a reverse-stranded library (R1 antisense): records of (name, R1, R2, filter flag, kind, gene)."""

    def __init__(self, world, seed, plain=600, odd=60, umi=False):
        self.world, self.rng, self.records, self.umi = world, random.Random(seed), [], umi
        for kind, number in [("plain", plain), *((kind, odd) for kind in [*SURE[1:], *MAYBE, "random"])]:
            for count in range(number):
                gene = self.rng.choice(list(world.genes))
                self._add(kind, gene, count, *getattr(self, f"_{kind}", self._plain)(gene))
        self.rng.shuffle(self.records)

    def _add(self, kind, gene, count, first, second):
        shared = kind.startswith("shared_name")
        name = f"M:{count // 2 if shared else len(self.records)}:{kind}"
        if self.umi:
            name += ":" + self._foreign(10)
        self.records.append((name, first, second, "Y" if kind == "failed" else "N", kind, gene))

    def _plain(self, gene):
        text = self.world.transcript(gene)
        start = self.rng.randrange(len(text) - INSERT)
        piece = text[start : start + INSERT]
        return reverse(piece)[:LENGTH], piece[:LENGTH]

    def _foreign(self, length):
        return "".join(self.rng.choices(BASES, k=length))

    def _short(self, gene):
        first, second = self._plain(gene)
        return first, second[:40]

    def _very_short(self, gene):
        first, second = self._plain(gene)
        return first, second[:31]

    def _foreign_short_r2(self, gene):
        return self._plain(gene)[0], self._foreign(32)

    def _foreign_short_r1(self, gene):
        return self._foreign(32), self._plain(gene)[1]

    def _foreign_r2(self, gene):
        return self._plain(gene)[0], self._foreign(LENGTH)

    def _foreign_r1(self, gene):
        return self._foreign(LENGTH), self._plain(gene)[1]

    def _two_genes(self, gene):
        return self._plain(gene)[0], self._plain(self.rng.choice(list(self.world.genes)))[1]

    def _same_strand(self, gene):
        first, second = self._plain(gene)
        return first, reverse(second)

    def _ends_of_gene(self, gene):
        text = self.world.transcript(gene)
        return reverse(text[-LENGTH:]), text[:LENGTH]

    def _chimera(self, gene):
        first, second = self._plain(gene)
        other = self._plain(self.rng.choice(list(self.world.genes)))[0]
        return first[:38] + other[:37], second

    def _shared_name_and_foreign(self, gene):
        return self._plain(gene)[0], self._foreign(32)

    def _random(self, gene):
        return self._foreign(LENGTH), self._foreign(LENGTH)

    def write(self, folder, name, mates=(1, 2), naming="{name} {mate}:{flag}:0:ACGT"):
        """The gzipped FASTQ files of the library; returns their paths. `naming`: how a record is called."""
        paths = []
        for mate in mates:
            text = "".join(
                f"@{naming.format(name=record[0], mate=mate, flag=record[3])}\n{record[mate]}\n+\n{'I' * len(record[mate])}\n"
                for record in self.records
            )
            paths.append(folder / f"{name}_R{mate}.fastq.gz")
            paths[-1].write_bytes(gzip.compress(text.encode(), mtime=0))
        return paths

    def drawn(self, kinds):
        """{gene: fragments of these kinds}."""
        return {
            gene: sum(record[4] in kinds and record[5] == gene for record in self.records)
            for gene in self.world.genes
        }
