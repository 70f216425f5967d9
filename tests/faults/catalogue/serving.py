"""Faults of `make predict`: what it is given, and what a matrix says of itself. `inject` gets a PredictRequest."""

import json

from tests.faults.case import ACCEPTED, REFUSED, Case
from tests.faults.project import NAMES, Project


class PredictRequest:
    """What a user of `make predict` names; `folder` has a sound matrix of the bundle's genes, counts.tsv."""

    def __init__(self, folder, bundle):
        self.folder, self.project = folder, Project(folder, matrix=True)
        self.options = {"bundle": bundle, "counts": folder / "counts.tsv", "results": folder / "results"}

    def file(self, name, content):
        return self.project.file(name, content)


def with_options(**changes):
    """Change what is named; a text is a path below the folder."""

    def inject(request):
        request.options |= {
            key: request.folder / value if isinstance(value, str) else value for key, value in changes.items()
        }

    return inject


def written(key, name, content):
    """Name a file of this content."""

    def inject(request):
        request.options[key] = request.file(name, content)

    return inject


def matrix(change):
    return lambda request: request.file("counts.tsv", change(request.project.counts_text()))


def sheet(text):
    return written("samples", "samples.tsv", text)


def beside(content):
    return lambda request: request.file(
        "counts.json", content if isinstance(content, str) else json.dumps(content)
    )


def trained(request):
    (request.folder / "results/models").mkdir(parents=True)


ALL = "".join(f"{name}\n" for name in ["sample", *NAMES])
GIVEN, MATRIX, BESIDE, SHEET, REFERENCE = (
    "what is named",
    "COUNTS",
    "the JSON beside COUNTS",
    "SAMPLES",
    "REFERENCE",
)
CASES = [
    Case("only a matrix", GIVEN, with_options(), ACCEPTED),
    Case("a matrix and its sheet", GIVEN, sheet(ALL), ACCEPTED),
    Case("no bundle", GIVEN, with_options(bundle=""), REFUSED, "is not a bundle"),
    Case("bundle that is not there", GIVEN, with_options(bundle="nowhere"), REFUSED, "there is no such file or folder; give the folder of a bundle"),
    Case("bundle a file", GIVEN, written("bundle", "bundle", "x"), REFUSED, "is not a bundle"),
    Case("nothing to predict", GIVEN, with_options(counts=None), REFUSED, "nothing says what is to be predicted"),
    Case("matrix that is not there", GIVEN, with_options(counts="absent.tsv"), REFUSED, "COUNTS="),
    Case("matrix a folder", GIVEN, lambda request: (request.folder / "m.tsv").mkdir() or with_options(counts="m.tsv")(request), REFUSED, "cannot be read as a matrix"),
    Case("results a file", GIVEN, written("results", "out", "x"), REFUSED, "give RESULTS=another folder"),
    Case("results below a file", GIVEN, lambda request: request.file("out", "x") and with_options(results="out/here")(request), REFUSED, "give RESULTS=another folder"),
    Case("results of a run that trained", GIVEN, trained, REFUSED, "holds a run that trained"),
    Case("results with a space", GIVEN, with_options(results="my results"), REFUSED, "must be a path of letters, digits"),
    Case("empty matrix", MATRIX, matrix(lambda t: ""), REFUSED, "cannot be read as a matrix"),
    Case("matrix with a sample named as a command", MATRIX, matrix(lambda t: t.replace("s03", "$(touch CANARY)")), ACCEPTED),
    Case("matrix with names that differ by case", MATRIX, matrix(lambda t: t.replace("s03", "S01")), REFUSED, "differ only by case"),
    Case("sheet without column sample", SHEET, sheet("name\ns01\n"), REFUSED, "column 'sample' is missing"),
    Case("labels in other letters than the bundle's", SHEET, sheet("sample\tcondition\n" + "".join(f"{name}\tCase\n" for name in NAMES)), REFUSED, "'Case' (12 samples; did you mean 'case'?)"),
    Case("one label in other letters", SHEET, sheet("sample\tcondition\n" + "".join(f"{name}\t{label}\n" for name, label in zip(NAMES, ["Case", *["case", "control"] * 6], strict=False))), ACCEPTED),
    Case("sheet without rows", SHEET, sheet("sample\n"), REFUSED, "has no sample rows"),
    Case("reads for a bundle of a matrix", SHEET, lambda request: (sheet("sample\tfastq_1\ns01\ta.fastq.gz\n")(request), with_options(counts=None)(request)), REFUSED, "new samples have to come as a matrix"),
    Case("JSON that is none", BESIDE, beside("{"), REFUSED, "remove or repair it"),
    Case("JSON nested without end", BESIDE, beside("[" * 99_999), REFUSED, "remove or repair it"),
    Case("JSON of something else", BESIDE, beside([1, 2]), ACCEPTED),
    Case("JSON without the reference's facts", BESIDE, beside({"counting": {"a": 1}, "reference": {"genes": 2}}), REFUSED, "of the reference; remove or repair it"),
    Case("JSON of other types", BESIDE, beside({"counting": 1, "reference": 2}), REFUSED, "as this workflow writes it"),
    Case("reference that is not there", REFERENCE, with_options(reference="nowhere"), REFUSED, "REFERENCE="),
    Case("reference an empty folder", REFERENCE, lambda request: (request.folder / "ref").mkdir() or with_options(reference="ref")(request), REFUSED, "one genome is needed there, found none"),
    *(
        Case(f"reference: {what}", REFERENCE, written("reference", "ref.yaml", text), REFUSED, "is no config with")
        for what, text in {
            "no YAML": "a: [", "a text": "hello", "a list": "- a", "latin-1": b"\xe9: 1", "numbers as paths": "reference: {fasta: 3}",
            "trimming a text": "reference: {fasta: a.fa}\ntrimming: x", "nothing": "",
        }.items()
    ),
]  # fmt: skip
