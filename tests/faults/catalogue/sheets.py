"""Faults of the sample sheet. `inject` gets a Project with reads."""

from tests.faults.case import ACCEPTED, REFUSED, Case


def text(change, name="samples.tsv", **options):
    """Replace the sheet's text by `change(text)`, bytes or str."""

    def inject(project):
        content = change(project.text(**options))
        project.raw = content if isinstance(content, bytes) else content.encode()
        project.name = project.config["samples"] = name

    return inject


def cell(row, column, value):
    return lambda project: project.cell(row, column, value)


def column(name, value):
    """A whole column: one value, or a function of the row number from 0."""
    return lambda project: project.fill(name, [value(i) if callable(value) else value for i in range(12)])


def named(name):
    return Case(
        f"name {name[:30]!r}",
        "sheet, a sample's name",
        cell(3, "sample", name),
        REFUSED,
        "row 4, column sample",
    )


def file(path, message="row 4, column fastq_1"):
    return Case(f"path {path[:30]!r}", "sheet, a FASTQ path", cell(3, "fastq_1", path), REFUSED, message)


def accession(value, layout="paired"):
    def inject(project):
        for name, content in (("fastq_1", ""), ("accession", value), ("layout", layout)):
            project.cell(3, name, content)

    return inject


def mixed_layouts(project):
    """Two lanes of a sample, the first paired-end, the second not."""
    for name in ("sample", "condition", "batch", "donor", "age"):
        project.cell(4, name, project.rows[2][name])
    project.file("s03_R2.fastq.gz")
    project.cell(3, "fastq_2", "s03_R2.fastq.gz")


def batch_as_path(project):
    project.set("evaluation.leave_one_batch_out", True)
    project.fill("batch", ["../up" if i < 6 else "x" for i in range(12)])


def gone(project):
    (project.folder / "reads/s03_R1.fastq.gz").unlink()


def dangling(project):
    gone(project)
    (project.folder / "reads/s03_R1.fastq.gz").symlink_to("nowhere.fastq.gz")


def folder_instead(project):
    gone(project)
    (project.folder / "reads/s03_R1.fastq.gz").mkdir()


def mates_crossed(project):
    """Lanes of a sample whose second row has only an R2."""
    project.cell(4, "sample", "s03")
    for name in ("condition", "batch", "donor", "age"):
        project.cell(4, name, project.rows[2][name])
    project.cell(4, "fastq_2", project.rows[3]["fastq_1"])
    project.cell(4, "fastq_1", "")


def braces(project):
    (project.folder / "reads/s03_R1.fastq.gz").rename(project.folder / "reads/{s03}.fastq.gz")
    project.cell(3, "fastq_1", "reads/{s03}.fastq.gz")


def linked_twice(project):
    (project.folder / "copy_R1.fastq.gz").symlink_to(project.folder / "reads/s01_R1.fastq.gz")
    project.cell(2, "fastq_1", "copy_R1.fastq.gz")


SHEET, CELL = "sheet, its text", "sheet, a cell"
CASES = [
    Case("UTF-16", SHEET, text(lambda t: t.encode("utf-16")), REFUSED, "is not UTF-8 text"),
    Case("UTF-16 without mark", SHEET, text(lambda t: t.encode("utf-16-le")), REFUSED, "is not UTF-8 text"),
    Case("latin-1", SHEET, text(lambda t: t.replace("d00", "café").encode("latin-1")), REFUSED, "save the sheet as UTF-8"),
    Case("byte order mark", SHEET, text(lambda t: t.encode("utf-8-sig")), ACCEPTED),
    Case("CRLF line ends", SHEET, text(lambda t: t, end="\r\n"), ACCEPTED),
    Case("CR line ends", SHEET, text(lambda t: t, end="\r"), ACCEPTED),
    Case("commas in .csv", SHEET, text(lambda t: t, "samples.csv", separator=","), ACCEPTED),
    Case("semicolons in .csv", SHEET, text(lambda t: t, "samples.csv", separator=";"), REFUSED, "separated by semicolons"),
    Case("commas in .tsv", SHEET, text(lambda t: t, separator=","), REFUSED, "separated by commas"),
    Case("tabs in .csv", SHEET, text(lambda t: t, "samples.csv"), REFUSED, "separated by tabs"),
    Case("a spreadsheet's own file", SHEET, text(lambda t: b"PK\x03\x04\xff\xfe" + t.encode()), REFUSED, "is not UTF-8 text"),
    Case("empty file", SHEET, text(lambda t: ""), REFUSED, "is empty"),
    Case("header only", SHEET, text(lambda t: t.splitlines()[0] + "\n"), REFUSED, "has no sample rows"),
    Case("no header", SHEET, text(lambda t: t.split("\n", 1)[1]), REFUSED, "column 'sample' is missing"),
    Case("blank rows", SHEET, text(lambda t: t.replace("\n", "\n\n\t\t\t\t\t\n")), ACCEPTED),
    Case("spaces around cells", SHEET, text(lambda t: t.replace("\t", " \t ")), ACCEPTED),
    Case("trailing empty columns", SHEET, text(lambda t: t.replace("\n", "\t\t\n")), ACCEPTED),
    Case("quoted cells", SHEET, text(lambda t: t.replace("d00", '"d00"')), ACCEPTED),
    Case("a quote that never closes", SHEET, text(lambda t: t.replace("d02", '"d02')), REFUSED, "row 4: "),
    Case("a line break in a cell", SHEET, text(lambda t: t.replace("d02", '"d0\n2"')), REFUSED, "goes on to line 5"),
    Case("a cell without end", SHEET, text(lambda t: t.replace("d02", "d" * 200_000)), REFUSED, "row 4: field larger"),
    Case("a row too long", SHEET, text(lambda t: t.replace("d02\t42", "d02\t42\tmore")), REFUSED, "row 4: has 7 cells"),
    Case("column named twice", SHEET, text(lambda t: t.replace("age", "donor")), REFUSED, "column 'donor' is there twice"),
    Case("column Sample", SHEET, text(lambda t: t.replace("sample", "Sample", 1)), REFUSED, "rename 'Sample'"),
    Case("no column of reads", SHEET, text(lambda t: t.replace("fastq_1", "reads")), REFUSED, "'fastq_1', 'bam' or 'accession'"),
    Case("column with a slash", SHEET, text(lambda t: t.replace("age", "age/years")), REFUSED, "'age/years' cannot be stored"),
    Case("column _index", SHEET, text(lambda t: t.replace("age", "_index")), REFUSED, "'_index' cannot be stored"),
    *map(named, ["", "a b", "a'b", 'a"b', "$(touch CANARY)", "`touch CANARY`", "a;touch CANARY", "../up", "/abs", "-rf", "."]),
    *map(named, ["naïve", "样本", "a|b", "a&b", "{x}", "a*", "s\u200b3", "x" * 101, "1.5E+11", "-", "%s(x)"]),
    Case("name made a date", CELL, cell(3, "sample", "3-Sep"), REFUSED, "row 4, column sample: '3-Sep' is a date"),
    Case("names of digits", CELL, column("sample", lambda i: f"{i + 1:03}"), ACCEPTED),
    Case("names that differ by zeros", CELL, column("sample", lambda i: ["1", "01", *map(str, range(2, 12))][i]), REFUSED, "leading zeros"),
    Case("names that differ by case", CELL, cell(2, "sample", "S01"), REFUSED, "differ only by case"),
    Case("one name, two donors", CELL, cell(2, "sample", "s01"), REFUSED, "row 3, column donor: 'd01' differs from 'd00'"),
    *map(file, ["reads/absent.fastq.gz", "reads/" + "x" * 300 + ".fastq.gz", "~nobody_here/a.fastq.gz", "http://host/a.fastq.gz"]),
    file("reads\\s03_R1.fastq.gz"),
    file("reads/s03.txt", "must end in .fastq, .fq, .fastq.gz or .fq.gz"),
    file("reads/s03.bam", "must end in .fastq, .fq, .fastq.gz or .fq.gz"),
    Case("no FASTQ named", CELL, cell(3, "fastq_1", ""), REFUSED, "row 4, column fastq_1: is empty"),
    Case("FASTQ gone", "a FASTQ file", gone, REFUSED, "row 4, column fastq_1: no such file"),
    Case("FASTQ a dangling link", "a FASTQ file", dangling, REFUSED, "is a link to a file that is not there"),
    Case("FASTQ named with braces", "a FASTQ file", braces, REFUSED, "a path with { or } cannot be used"),
    Case("FASTQ a folder", "a FASTQ file", folder_instead, REFUSED, "is a folder"),
    Case("one FASTQ, two samples", CELL, cell(2, "fastq_1", "reads/s01_R1.fastq.gz"), REFUSED, "the same file twice"),
    Case("one FASTQ through a link", CELL, linked_twice, REFUSED, "the same file twice"),
    Case("R1 is R2", CELL, cell(1, "fastq_2", "reads/s01_R1.fastq.gz"), REFUSED, "row 2, column fastq_2: the same file twice"),
    Case("FASTQ and BAM", CELL, cell(3, "bam", "a.bam"), REFUSED, "row 4: has both fastq_1 and bam"),
    Case("accession of a sample, not a run", CELL, accession("GSM123456"), REFUSED, "row 4, column accession: 'GSM123456' is no run"),
    Case("accession with a command", CELL, accession("SRR123456;touch CANARY"), REFUSED, "row 4, column accession"),
    Case("accession without layout", CELL, accession("SRR1234567", ""), REFUSED, "row 4, column layout: '' must be paired or single"),
    Case("lanes of two layouts", CELL, mixed_layouts, REFUSED, "mixes single-end and paired-end"),
    Case("batch that becomes a path", CELL, batch_as_path, REFUSED, "batch '../up' becomes a file name"),
    Case("a lane with R2 only", CELL, mates_crossed, REFUSED, "row 5, column fastq_1: is empty"),
    Case("strandedness of another pipeline", CELL, cell(3, "strandedness", "fr-firststrand"), REFUSED, "row 4, column strandedness"),
    Case("a spreadsheet's error", CELL, cell(3, "batch", "#REF!"), REFUSED, "row 4, column batch: '#REF!' is an error"),
    Case("invisible characters", CELL, cell(3, "batch", "x\u200b"), REFUSED, "row 4, column batch"),
    Case("no target column", "sheet, header", text(lambda t: t.replace("condition", "status")), REFUSED, "names column 'condition'"),
    Case("no labelled sample", CELL, column("condition", ""), REFUSED, "needs at least two classes, found no value"),
    Case("labels NaN", CELL, column("condition", "NaN"), REFUSED, "needs at least two classes, found no value"),
    Case("one class", CELL, column("condition", "a"), REFUSED, "found only 'a'"),
    Case("one class, the rest excluded", CELL, column("exclude", lambda i: "old" if i % 2 else ""), REFUSED, "found only 'a'"),
    Case("class none", CELL, column("condition", lambda i: ["none", "drug"][i % 2]), REFUSED, "may mean a class or no value"),
    Case("classes that differ by case", CELL, cell(2, "condition", "B "), REFUSED, "'B' (row 3) and 'b' (row 5)"),
    Case("measurements as classes", CELL, column("condition", lambda i: f"{i}.5"), REFUSED, "set design.task: regression"),
    Case("donors that differ by zeros", CELL, column("donor", lambda i: ["1", "01", *map(str, range(2, 12))][i]), REFUSED, "leading zeros"),
    Case("a sample without batch", CELL, cell(3, "batch", ""), REFUSED, "row 4, column batch: is empty"),
    Case("a labelled sample without donor", CELL, cell(3, "donor", "NA"), REFUSED, "row 4, column donor: is empty"),
]  # fmt: skip
