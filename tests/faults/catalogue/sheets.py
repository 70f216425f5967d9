"""Faults of the sample sheet. `inject` gets a Project with reads."""

import os

from tests.faults.case import ACCEPTED, REFUSED, STOPPED, Case


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


def batch_as_file(name):
    def inject(project):
        project.set("evaluation.leave_one_batch_out", True)
        project.fill("batch", [name if i < 6 else "x" for i in range(12)])

    return inject


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


def hard_linked(project):
    gone(project)
    (project.folder / "reads/s03_R1.fastq.gz").hardlink_to(project.folder / "reads/s01_R1.fastq.gz")


def pipe(project):
    gone(project)
    os.mkfifo(project.folder / "reads/s03_R1.fastq.gz")


def covariate(name, cells):
    """A clinical covariate: a cell of sample 3 among ages, or the cells of all twelve."""

    def inject(project):
        project.set("design.covariates", [name])
        if isinstance(cells, str):
            project.cell(3, name, cells)
        else:
            project.fill(name, cells)

    return inject


def marked(name, key, values):
    """A column in which any text is a mark."""

    def inject(project):
        project.fill(name, values)
        if key:
            project.set(*key)

    return inject


def unclear(word):
    return Case(
        f"class {word}",
        CELL,
        cell(3, "condition", word),
        REFUSED,
        f"column condition: {word!r} (1 cell, row 4) may mean a class or no value",
    )


def named_like_the_workflow(project):
    """Names that the workflow's own files have: each sample must be one and not meet the others."""
    project.fill(
        "sample",
        [
            "all",
            "cohort",
            "full",
            "r1f1",
            "matrix",
            "genes",
            "samples",
            "manifest",
            "reference",
            "NA",
            "none",
            "a_R1",
        ],
    )


OUTSIDE = ("evaluation.holdout", "outside")
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
    Case("batch that becomes a path", CELL, batch_as_file("../up"), REFUSED, "batch '../up' becomes a file name"),
    Case("batch that repeats itself", CELL, batch_as_file("run" * 20), REFUSED, "ends with the same text 20 times or more"),
    Case("name that repeats itself", "sheet, a sample's name", cell(3, "sample", "ab" * 20), REFUSED, "row 4, column sample: '" + "ab" * 20 + "' ends with"),
    Case("name that repeats itself, almost", "sheet, a sample's name", cell(3, "sample", "ab" * 19), ACCEPTED),
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
    Case("UTF-32", SHEET, text(lambda t: t.encode("utf-32")), REFUSED, "is not UTF-8 text"),
    Case("comment before the header", SHEET, text(lambda t: "# my study\n" + t), REFUSED, "row 1: '# my study' is no header"),
    Case("title before the header", SHEET, text(lambda t: "My study\t\t\t\t\t\n" + t), REFUSED, "column 'sample' is missing"),
    Case("sep= of a spreadsheet", SHEET, text(lambda t: "sep=,\n" + t, "samples.csv", separator=","), REFUSED, "row 1: 'sep=' is no header"),
    Case("header again below the rows", SHEET, text(lambda t: t + t.splitlines()[0] + "\n"), REFUSED, "row 14, column fastq_1"),
    Case("table pasted twice", SHEET, text(lambda t: t * 2), REFUSED, "the same file twice"),
    Case("sample commented out", SHEET, text(lambda t: t.replace("s03\t", "#s03\t")), REFUSED, "row 4, column sample: '#s03'"),
    Case("a row too short", SHEET, text(lambda t: t.replace("\td02\t42", "\td02")), REFUSED, "row 4: has 5 cells, the header has 6"),
    Case("a tab forgotten", SHEET, text(lambda t: t.replace("a\tx\td02", "x\td02")), REFUSED, "row 4: has 5 cells, the header has 6"),
    Case("tabs and commas", SHEET, text(lambda t: t.replace("\tx\td02", ",x,d02")), REFUSED, "row 4: has 4 cells, the header has 6"),
    Case("a tab in a quoted cell", SHEET, text(lambda t: t.replace("d02", '"d\t02"')), REFUSED, "row 4, column donor: 'd\\t02' holds invisible"),
    Case("target column in another case", SHEET, text(lambda t: t.replace("condition", "Condition")), REFUSED, "names column 'condition'"),
    Case("a column beside the target that differs by case", SHEET, text(lambda t: t.replace("age", "Condition")), ACCEPTED),
    *(Case(f"metadata column {name}", SHEET, text(lambda t, name=name: t.replace("age", name)), ACCEPTED) for name in ("status", "sample_id", "fold", "index", "truth", "prob_a", "None", "layout")),
    Case("names that the workflow uses", "sheet, a sample's name", named_like_the_workflow, ACCEPTED),
    Case("one FASTQ through a hard link", CELL, hard_linked, REFUSED, "the same file twice"),
    Case("FASTQ a pipe", "a FASTQ file", pipe, REFUSED, "row 4, column fastq_1: no such file"),
    Case("mates of neighbours", CELL, column("fastq_2", lambda i: f"reads/s{(i + 1) % 12 + 1:02}_R1.fastq.gz"), REFUSED, "the same file twice"),
    Case("empty cells as NA in exclude", CELL, marked("exclude", None, ["NA"] * 12), REFUSED, "row 2, column exclude: 'NA' would exclude the sample"),
    Case("FALSE in exclude", CELL, marked("exclude", None, ["FALSE"] * 10 + ["TRUE"] * 2), REFUSED, "row 2, column exclude: 'FALSE' would exclude the sample"),
    Case("every sample excluded", CELL, marked("exclude", None, ["yes"] * 12), REFUSED, "every sample is excluded"),
    Case("no in the hold-out", CELL, marked("outside", OUTSIDE, ["yes", "yes", *["no"] * 10]), REFUSED, "row 4, column outside: 'no' would hold the sample out"),
    Case("0 in the hold-out", CELL, marked("outside", OUTSIDE, ["1", "0", *[""] * 10]), REFUSED, "row 3, column outside: '0' would hold the sample out"),
    *map(unclear, ["na", "-", "?", "unknown", "<NA>", "n.a.", "missing", "'--", "[Not Available]", "Not Reported", "-9", "999"]),
    Case("two ways of not given, as donors", CELL, column("donor", lambda i: ["Unknown", "not reported"][i % 2] if i < 4 else f"d{i}"), REFUSED, "column donor: 'Unknown' (2 cells, first row 2), 'not reported' (2 cells, first row 3), each of which may mean no value"),
    Case("covariate of a question mark", CELL, covariate("age", "?"), REFUSED, "column age: '?' (1 cell, row 4) may mean no value"),
    Case("covariate -9", CELL, covariate("age", "-99"), REFUSED, "column age: '-99' (1 cell, row 4) may mean no value"),
    Case("class 1 and 1.0", CELL, column("condition", lambda i: ["1", "1.0", "0"][i % 3]), REFUSED, "'1' (row 2) and '1.0' (row 3) differ only"),
    Case("class é composed and decomposed", CELL, column("condition", lambda i: ["\u00e9", "e\u0301", "b"][i % 3]), REFUSED, "differ only in how they are written"),
    Case("batch 1 and 01", CELL, column("batch", lambda i: ["1", "01", "2"][i % 3]), REFUSED, "'1' (row 2) and '01' (row 3) differ only"),
    Case("a class with a soft hyphen", CELL, cell(3, "condition", "a\u00ad"), REFUSED, "row 4, column condition: 'a\\xad' holds invisible"),
    Case("a class with a mark of direction", CELL, cell(3, "condition", "a\u200e"), REFUSED, "holds invisible characters"),
    Case("batches that differ by an unseen joiner", CELL, column("batch", lambda i: ["x", "x\u200d", "y"][i % 3]), REFUSED, "differ only in how they are written"),
    *(Case(f"covariate {value}", CELL, covariate("age", value), REFUSED, f"row 4, column age: {value!r} is not a number") for value in ("41,5", ">60", "41 years", "1,200")),
    Case("covariate in two cases", CELL, covariate("sex", ["F", "f", "M"] * 4), REFUSED, "'F' (row 2) and 'f' (row 3) differ only"),
    Case("dates as covariate", CELL, covariate("day", [f"2024-01-{i + 10}" for i in range(12)]), REFUSED, "dates or names are no covariate"),
    Case("covariate of one value", CELL, covariate("site", ["here"] * 12), REFUSED, "at least two different values"),
    Case("class of one", CELL, cell(3, "condition", "z"), STOPPED, "Too small: z: 1 samples in 1 groups"),
    Case("class misspelt once", CELL, column("condition", lambda i: ["treated", "control", "treatd"][2 if i == 4 else i % 2]), STOPPED, "Too small: treatd: 1 samples"),
    Case("class of one donor", CELL, column("donor", lambda i: "d1" if i % 2 else f"e{i}"), STOPPED, "b: 6 samples in 1 groups"),
    Case("as many labels as one fold takes", CELL, column("condition", lambda i: "ab"[i % 2] if i < 2 else ""), STOPPED, "Too small"),
]  # fmt: skip
