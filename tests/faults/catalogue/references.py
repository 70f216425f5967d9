"""Faults of genome, annotation and index. `inject` gets a Project with reads."""

import bz2
import gzip

from tests.faults.case import ACCEPTED, REFUSED, STOPPED, Case
from tests.faults.project import FASTA, GTF, bases

GFF3 = (
    "##gff-version 3\n1\te\tgene\t1\t300\t.\t+\t.\tID=gene:g1\n1\te\tmRNA\t1\t300\t.\t+\t.\tID=t1;Parent=gene:g1\n"
    "1\te\texon\t1\t100\t.\t+\t.\tParent=t1\n1\te\texon\t201\t300\t.\t+\t.\tParent=t1\n"
)
STAR = ("Genome", "SA", "SAindex")


def gtf(text):
    return lambda project: project.file("annotation.gtf", text)


def fasta(text):
    return lambda project: project.file("genome.fa", text)


def index(version="2.7.4a", files=STAR, lengths="1\t400\n2\t200\n"):
    """A folder that looks like an index of STAR."""

    def inject(project):
        for name in files:
            project.file(f"star/{name}", "x")
        project.file("star/chrNameLength.txt", lengths)
        project.file("star/genomeParameters.txt", f"### STAR\nversionGenome\t{version}\n")
        project.set("reference.index", "star")

    return inject


def hisat2(*files, folder="ht"):
    def inject(project):
        for name in files:
            project.file(f"{folder}/{name}", "x")
        project.config |= {"alignment": {"tool": "hisat2"}}
        project.set("reference.index", folder)

    return inject


def index_named(name):
    def inject(project):
        index()(project)
        (project.folder / "star").rename(project.folder / name)
        project.set("reference.index", name)

    return inject


def named(**reference):
    """A reference by name instead of files."""
    return lambda project: project.config.update(reference=reference)


def store_is_a_file(project):
    project.file("refs", "x")
    project.set("reference.store", "refs")


def rrna_with_comma(project):
    project.file("a,b.fa", ">a\nACGT\n")
    project.set("trimming.rrna", "a,b.fa")


def given_rrna(content):
    def inject(project):
        project.file("rrna.fa", content)
        project.set("trimming.rrna", "rrna.fa")

    return inject


def adapters(*sequences):
    return lambda project: project.set("trimming.adapters", list(sequences))


def counted_by_star(exons, genes="g1 g2 g3"):
    """STAR counts with an index that holds these exons (start, end, number of the gene; from 0), or none."""

    def inject(project):
        index()(project)
        project.file("star/chrName.txt", "1\n2\n")
        project.file("star/chrStart.txt", "0\n262144\n524288\n")
        project.file("star/chrLength.txt", "400\n200\n")
        if exons:
            lines = [f"{start}\t{end}\t1\t{gene}\t{gene}\n" for start, end, gene in exons]
            project.file("star/exonGeTrInfo.tab", "".join([f"{len(lines)}\n", *lines]))
            names = genes.split()
            project.file("star/geneInfo.tab", "\n".join([str(len(names)), *names]) + "\n")
        project.set("quantification.tool", "star")

    return inject


def late(line):
    """`line` far behind what is looked at before any job."""
    return gtf(GTF * 7000 + line)


def both_named(name):
    """The first chromosome of the genome under another name."""
    return fasta(FASTA.replace(">1 ", f">{name} "))


def gene_sets(text):
    def inject(project):
        project.file("sets.gmt", text)
        project.set("expression.gene_sets", "sets.gmt")

    return inject


EXONS = [(0, 99, 0), (200, 299, 1), (262148, 262247, 2)]
ROUND = (
    "##gff-version 3\n1\te\tregion\t1\t400\t.\t+\t.\tID=1;Is_circular=true\n1\te\tgene\t{0}\t.\t+\t.\tID=g1\n"
    "1\te\texon\t{0}\t.\t+\t.\tID=e1;Parent=g1\n"
)
BACTERIUM = GTF.replace("exon", "CDS") + GTF.splitlines(True)[0]
ISOFORMS = "".join(
    f'1\tx\texon\t1\t{end}\t.\t+\t.\tgene_id "NM_{end}"; transcript_id "NM_{end}";\n'
    for end in (200, 210, 220, 230)
)
LINE = "1\tx\texon\t1\t100\t.\t+\t.\t"
GENOME, ANNOTATION, INDEX, RRNA = "reference.fasta", "reference.gtf", "reference.index", "trimming.rrna"
CASES = [
    Case("a genome that no table has", GENOME, named(name="GRCh39", annotation="gencode_v46"), REFUSED, "known: GRCh38, GRCm39, mRatBN7.2"),
    Case("an annotation of another genome", ANNOTATION, named(name="GRCm39", annotation="gencode_v46"), REFUSED, "known: gencode_vM35"),
    Case("a genome by name without annotation", ANNOTATION, named(name="GRCh38"), REFUSED, "needs an annotation"),
    Case("a name beside files", GENOME, lambda project: project.set("reference.name", "GRCh38"), REFUSED, "reference.fasta is given, too"),
    Case("a store of indices that is a file", INDEX, store_is_a_file, REFUSED, "is a file, not a folder"),
    Case("GTF without gene_id", ANNOTATION, gtf(GTF.replace('gene_id "g1"; ', "")), REFUSED, "line 1: this 'exon' line has no gene_id"),
    Case("GTF without gene_id, far down", ANNOTATION, late(LINE + 'note "x";\n'), STOPPED, "line 21001: this 'exon' line has no gene_id"),
    Case("GTF without exons", ANNOTATION, gtf(GTF.replace("exon", "CDS")), REFUSED, "has no 'exon' lines"),
    Case("GTF of other chromosomes", ANNOTATION, gtf(GTF.replace("1\tx", "a\tx").replace("2\tx", "b\tx")), STOPPED, "no chromosome of the annotation"),
    Case("chr1 against 1", ANNOTATION, gtf(GTF.replace("1\tx", "chr1\tx")), REFUSED, "remove 'chr' from column 1"),
    Case("genes beyond the chromosome", ANNOTATION, gtf(GTF.replace("300", "30000")), STOPPED, "different assemblies"),
    Case("GTF with spaces for tabs", ANNOTATION, gtf(GTF.replace("\t", " ")), REFUSED, "line 1: has 1 tab-separated cells"),
    Case("GTF in UTF-16", ANNOTATION, gtf(GTF.encode("utf-16")), REFUSED, "tab-separated cells"),
    Case("gene id not UTF-8", ANNOTATION, gtf(GTF.replace("g1", "gé").encode("latin-1")), REFUSED, "cannot be the id of a gene"),
    Case("gene id with a space", ANNOTATION, gtf(GTF.replace('"g1"', '"tRNA Leu"')), REFUSED, "line 1: 'tRNA Leu' cannot be the id"),
    Case("gene id with a semicolon", ANNOTATION, gtf(GTF.replace('"g1"', '"g;1"')), REFUSED, "line 1: 'g;1' cannot be the id"),
    Case("exon from -5", ANNOTATION, gtf(GTF.replace("\t1\t100", "\t-5\t100")), STOPPED, "line 1: start -5 and end 100 are no interval"),
    Case("exon that ends before it starts", ANNOTATION, gtf(GTF.replace("\t1\t100", "\t100\t1")), STOPPED, "are no interval"),
    Case("empty annotation", ANNOTATION, gtf(""), REFUSED, "no lines at all"),
    Case("BED instead of GTF", ANNOTATION, gtf("1\t5\t9\tg1\n"), REFUSED, "line 1: has 4 tab-separated cells"),
    Case("web page instead of GTF", ANNOTATION, gtf("<!DOCTYPE html>\n"), REFUSED, "tab-separated cells"),
    Case("genome instead of GTF", ANNOTATION, gtf(FASTA), REFUSED, "is FASTA; give the annotation here"),
    Case("truncated .gtf.gz", ANNOTATION, gtf(gzip.compress(GTF.encode() * 9)[:-9]), REFUSED, "cannot be read to its end"),
    Case("GFF3 named .gtf", ANNOTATION, gtf(GFF3), ACCEPTED),
    Case("unsorted GTF", ANNOTATION, gtf("".join(reversed(GTF.splitlines(True)))), ACCEPTED),
    Case("each line twice", ANNOTATION, gtf(GTF * 2), ACCEPTED),
    Case("CRLF in the GTF", ANNOTATION, gtf(GTF.replace("\n", "\r\n")), ACCEPTED),
    Case("gzipped GTF without .gz", ANNOTATION, gtf(gzip.compress(GTF.encode())), ACCEPTED),
    Case("empty FASTA", GENOME, fasta(""), REFUSED, "is not FASTA"),
    Case("names without sequence", GENOME, fasta(">1\n>2\n"), STOPPED, "holds no sequence"),
    Case("GTF instead of genome", GENOME, fasta(GTF), REFUSED, "is not FASTA"),
    Case("reads instead of genome", GENOME, fasta("@r\nACGT\n+\nIIII\n"), REFUSED, "is not FASTA"),
    Case("proteins instead of genome", GENOME, fasta(">1\nMKLVINGKTLKGEITVEG\n"), REFUSED, "is no genome"),
    Case("RNA instead of DNA", GENOME, fasta(FASTA.replace("T", "U")), REFUSED, "is no genome"),
    Case("RNA among DNA", GENOME, fasta(FASTA + ">rna\nACGU\n"), REFUSED, "is no genome: its sequences have the letters U"),
    Case("RNA far behind DNA", GENOME, fasta(FASTA + f">n\n{'N' * 70_000}\n>rna\nACGU\n"), STOPPED, "sequence 'rna' has the letter U"),
    Case("alignment with gaps", GENOME, fasta(FASTA.replace("A", "-", 9)), REFUSED, "is no genome"),
    Case("bzip2 of a genome", GENOME, fasta(bz2.compress(FASTA.encode())), REFUSED, "is not FASTA"),
    Case("truncated .fa.gz", GENOME, fasta(gzip.compress(FASTA.encode())[:-9]), REFUSED, "cannot be read to its end"),
    Case("two sequences of one name", GENOME, fasta(FASTA + ">1\nACGT\n"), STOPPED, "sequence name '1' is empty or there twice"),
    Case("a sequence without name", GENOME, fasta(FASTA + ">\nACGT\n"), STOPPED, "sequence name '' is empty or there twice"),
    Case("lower-case (masked) genome", GENOME, fasta(FASTA.replace("A", "a").replace("G", "g")), ACCEPTED),
    Case("CRLF in the FASTA", GENOME, fasta(FASTA.replace("\n", "\r\n")), ACCEPTED),
    Case("gzipped genome", GENOME, fasta(gzip.compress(FASTA.encode())), ACCEPTED),
    Case("genome of many gzip members (bgzip)", GENOME, fasta(gzip.compress(FASTA[:100].encode()) + gzip.compress(FASTA[100:].encode())), ACCEPTED),
    Case("100,000 contigs", GENOME, fasta(FASTA + "".join(f">c{i}\n{bases(8, i)}\n" for i in range(100_000))), ACCEPTED),
    Case("index of an older STAR", INDEX, index("20201"), REFUSED, "is of STAR's index version 20201, 2.7.4a is needed"),
    Case("index half copied", INDEX, index(files=STAR[:1]), REFUSED, "is no STAR index: it lacks SA, SAindex"),
    Case("STAR index for HISAT2", INDEX, hisat2("Genome", "SA"), REFUSED, "no HISAT2 index"),
    Case("HISAT2 index named as a command", INDEX, hisat2("a.1.ht2", folder="$(touch CANARY)"), REFUSED, "hisat2 cannot be told a path with '$'"),
    Case("HISAT2 index, file named as a command", INDEX, hisat2("`touch CANARY`.1.ht2"), REFUSED, "hisat2 cannot be told a path with '`'"),
    Case("HISAT2 index below a name with a space", INDEX, hisat2("a.1.ht2", folder="my index"), REFUSED, "hisat2 cannot be told a path with ' '"),
    Case("STAR index named with a quote mark", INDEX, index_named('5"'), REFUSED, "star cannot be told a path with '\"'"),
    Case("ribosomal RNA named with a comma", "trimming.rrna", rrna_with_comma, REFUSED, "bowtie2 takes a path with a comma"),
    Case("two HISAT2 indexes", INDEX, hisat2("a.1.ht2", "b.1.ht2"), REFUSED, "several HISAT2 indexes"),
    Case("byte order mark in the GTF", ANNOTATION, gtf("\ufeff" + GTF), ACCEPTED),
    Case("CR line ends in the GTF", ANNOTATION, gtf(GTF.replace("\n", "\r")), ACCEPTED),
    Case("comments and a gene without exons", ANNOTATION, gtf("# a\n" + GTF + '1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "gX";\n'), ACCEPTED),
    Case("ids without quotes", ANNOTATION, gtf(GTF.replace('"', "")), ACCEPTED),
    Case("exon lines called Exon", ANNOTATION, gtf(GTF.replace("exon", "Exon")), REFUSED, "has no 'exon' lines"),
    Case("GTF with an empty gene_id", ANNOTATION, gtf(GTF.replace('"g1"', '""')), REFUSED, "has no gene_id"),
    Case("GFF3 below a GTF", ANNOTATION, gtf(GTF + "1\tx\texon\t1\t9\t.\t+\t.\tParent=a\n"), REFUSED, "line 4: this 'exon' line has no gene_id"),
    Case("tab at the end of each GTF line", ANNOTATION, gtf(GTF.replace(";\n", ";\t\n")), REFUSED, "line 1: has 10 tab-separated cells"),
    Case("GFF3 line whose note holds ID=", ANNOTATION, gtf(GFF3 + "1\tx\tregion\t1\t9\t.\t+\t.\tNote=an ID=9\n"), ACCEPTED),
    Case("GFF3 that is its own parent", ANNOTATION, gtf(GFF3.replace("ID=gene:g1", "ID=gene:g1;Parent=gene:g1")), ACCEPTED),
    Case("place with a comma", ANNOTATION, gtf(GTF.replace("201", "2,01")), STOPPED, "start '2,01' and end '300' must be numbers"),
    Case("place with an underscore", ANNOTATION, gtf(GTF.replace("201", "2_01")), STOPPED, "start '2_01' and end '300' must be numbers"),
    Case("place in other digits", ANNOTATION, gtf(GTF.replace("201", "\u0662\u0660\u0661")), STOPPED, "must be numbers"),
    Case("strand 1", ANNOTATION, gtf(GTF.replace("+\t.", "1\t.")), STOPPED, "line 1: strand '1' must be one of"),
    Case("strand empty", ANNOTATION, gtf(GTF.replace("+\t.", "\t.")), STOPPED, "line 1: strand '' must be one of"),
    Case("one chromosome named otherwise", "reference", both_named("gi|1|"), STOPPED, "2 of 3 genes are on them and would have no reads"),
    Case("noise with the mark of gzip", ANNOTATION, gtf(b"\x1f\x8b" + b"x" * 99), REFUSED, "cannot be read to its end"),
    Case("byte order mark in the FASTA", GENOME, fasta("\ufeff" + FASTA), REFUSED, "is not FASTA"),
    Case("CR line ends in the FASTA", GENOME, fasta(FASTA.replace("\n", "\r")), STOPPED, "holds no sequence"),
    Case("blank lines in the FASTA", GENOME, fasta(FASTA.replace("\n", "\n\n")), ACCEPTED),
    Case("IUPAC letters", GENOME, fasta(FASTA.replace("ACG", "RYK")), ACCEPTED),
    Case("space before a sequence's name", GENOME, fasta(FASTA.replace(">", "> ")), ACCEPTED),
    Case("a sequence of no bases", GENOME, fasta(FASTA + ">empty\n"), ACCEPTED),
    Case("spaces within sequences", GENOME, fasta(FASTA.replace("AC", "A C")), STOPPED, "there is a space within sequence '1'"),
    Case("numbers within sequences", GENOME, fasta(FASTA.replace("AC", "1 AC")), REFUSED, "is no genome"),
    Case("a sequence's name not UTF-8", GENOME, fasta((FASTA + ">\xe9\nACGT\n").encode("latin-1")), STOPPED, "cannot stand in a BAM file"),
    Case("a sequence's name with a comma", GENOME, fasta(FASTA + ">a,b\nACGT\n"), STOPPED, "'a,b' cannot stand in a BAM file"),
    Case("zip of a genome", GENOME, fasta(b"PK\x03\x04" + b"x" * 99), REFUSED, "is not FASTA"),
    Case("exon lines of RNA genes only, as of bacteria", ANNOTATION, gtf(BACTERIUM), REFUSED, "'exon' lines reach 1 of 3 genes"),
    Case("exon lines of few genes, far down", ANNOTATION, late("".join(f'1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "b{i}";\n' for i in range(9))), STOPPED, "'exon' lines reach 3 of 12 genes"),
    Case("isoforms as genes, as of UCSC's table browser", ANNOTATION, gtf(ISOFORMS), REFUSED, "its gene ids are those of transcripts"),
    Case("GFF3 gene with its end beyond a circle", ANNOTATION, gtf(ROUND.format("301\t500")), ACCEPTED),
    Case("GFF3 gene with its start before a circle", ANNOTATION, gtf(ROUND.format("-99\t100")), ACCEPTED),
    Case("GFF3 gene that ends before it starts, on a circle", ANNOTATION, gtf(ROUND.format("301\t100")), ACCEPTED),
    Case("GFF3 gene once around a circle and on", ANNOTATION, gtf(ROUND.format("301\t701")), STOPPED, "Or the chromosome is circular"),
    Case("gene beyond the end, not called circular", ANNOTATION, gtf(ROUND.format("301\t500").replace("true", "false")), STOPPED, "different assemblies"),
    Case("genes without strand", ANNOTATION, gtf(GTF.replace("+", ".")), ACCEPTED),
    Case("genes of unknown strand", ANNOTATION, gtf(GTF.replace("+", "?")), ACCEPTED),
    Case("one name for all transcripts", ANNOTATION, gtf(GTF.replace("g1.t", "t").replace("g2.t", "t").replace("g3.t", "t")), ACCEPTED),
    Case("transcript with a space, semicolon and quote mark", ANNOTATION, gtf(GTF.replace("g1.t", "a b; 'c")), ACCEPTED),
    Case("GFF3 parent with an encoded comma", ANNOTATION, gtf(GFF3.replace("=t1", "=t%2C1")), ACCEPTED),
    Case("GFF3 with encoded chromosomes", ANNOTATION, gtf(GFF3.replace("1\te", "%31\te")), ACCEPTED),
    Case("index without annotation, STAR counts", INDEX, counted_by_star(None), REFUSED, "was made without annotation (it lacks exonGeTrInfo.tab, geneInfo.tab)"),
    Case("index of this annotation, STAR counts", INDEX, counted_by_star(EXONS), ACCEPTED),
    Case("index of other exons, STAR counts", INDEX, counted_by_star([*EXONS[:2], (262148, 262300, 2)]), REFUSED, "1 exons of"),
    Case("index of other genes, STAR counts", INDEX, counted_by_star(EXONS, "g1 g2 other"), REFUSED, "2 genes are only in one of them"),
    Case("index whose tables are cut, STAR counts", INDEX, counted_by_star(EXONS, "g1"), REFUSED, "its tables of genes cannot be read"),
    Case("ribosomal RNA with U for T", RRNA, given_rrna(">a\nACGU\n>a\nacgu\n"), ACCEPTED),
    Case("ribosomal RNA, gzipped", RRNA, given_rrna(gzip.compress(b">a;size=2 b\nACGT\n")), ACCEPTED),
    *(Case(f"ribosomal RNA: {what}", RRNA, given_rrna(content), REFUSED, message) for what, content, message in (
        ("empty file", "", "is not FASTA"), ("reads", "@r\nACGT\n+\nIIII\n", "is not FASTA"), ("names only", ">a\n>b\n", "holds no sequence"),
        ("proteins", ">a\nMKLVEF\n", "is no RNA or DNA"), ("alignment", ">a\nAC--GU\n", "is an alignment with gaps"),
        ("truncated", gzip.compress(FASTA.encode())[:-9], "cannot be read to its end"),
    )),
    Case("adapter of N only", "trimming.adapters", adapters("NNNN"), REFUSED, "must be auto, or a list of one or two sequences"),
    Case("adapter with N", "trimming.adapters", adapters("NNACGT", "acgtn"), ACCEPTED),
    *(Case(f"gene sets: {what}", "expression.gene_sets", gene_sets(text), REFUSED, message) for what, text, message in (
        ("commas", "a,d,g1,g2\n", "line 1: a gene set is a name"), ("no sets", "", "has no gene sets"), ("a set twice", "a\td\tg1\na\td\tg2\n", "is there twice"),
        ("a column for each set", "a\tb\nna\tna\ng1\tg2\n", "line 1: a gene set is a name"), ("UTF-16", "a\td\tg1\n".encode("utf-16"), "line 1: a gene set is a name"),
    )),
    Case("gene sets with a byte order mark and CRLF", "expression.gene_sets", gene_sets("\ufeffa\td\tg1\r\n"), ACCEPTED),
]  # fmt: skip
