"""Faults of sheet, config and reference that are known before any job: by the check that the Snakefile makes, and by the
Snakefile itself."""

import os

import pytest

from rna2model.core import files
from rna2model.core.errors import InputProblem
from rna2model.inputs import design_checks
from rna2model.planning import preflight
from rna2model.reference import annotation, circular, genome, transcripts
from tests.faults.case import ACCEPTED, REFUSED, STOPPED
from tests.faults.catalogue import AREAS
from tests.faults.conftest import parameters
from tests.faults.forked import snakemake
from tests.faults.project import FASTA, GTF, Project

CASES = [*AREAS["sheet"], *AREAS["config"]]
REFUSALS = [case for case in [*CASES, *AREAS["reference"]] if case.outcome == REFUSED]


def checked(project):
    """(config, samples, text of all problems) as the Snakefile gets them."""
    written = project.write()
    before = sorted(os.listdir(project.folder))
    config, samples, problems = preflight.check(
        project.config_as_read or project.config, [project.folder], thorough=True, written=[written]
    )
    assert sorted(os.listdir(project.folder)) == before  # nothing is written, nothing is run
    return config, samples, "\n".join(problems)


@pytest.mark.parametrize("case", parameters(CASES))
def test_what_the_check_says(case, tmp_path):
    project = Project(tmp_path)
    sound = len(project.rows)
    case.inject(project)
    config, samples, message = checked(project)
    if (
        case.outcome == STOPPED
    ):  # counting goes on, with a warning at the start; the rule that assigns folds stops
        assert message == "" and case.message in design_checks.too_few_to_train(samples, config)
    elif case.outcome == ACCEPTED:
        assert message == "" and len(samples) == sound
        assert [s.metadata["donor"] for s in samples.values()] == [row["donor"] for row in project.rows]
    else:
        assert case.message in message, message
        assert preflight.message(message.splitlines()).count("no job was started") == 1


def test_the_sound_project_has_no_problem(tmp_path):
    for kind in (False, True):
        folder = tmp_path / str(kind)
        folder.mkdir()
        assert checked(Project(folder, matrix=kind))[2] == ""


def prepared(project):
    """Genes of a project's reference, as rule prepare_reference reads it after the check."""
    _, _, message = checked(project)
    if message:
        raise InputProblem(message)
    files.unpack(project.folder / "genome.fa", project.folder / "unpacked.fa")
    lengths = genome.contigs(project.folder / "unpacked.fa")
    gtf = annotation.read(project.folder / "annotation.gtf")
    if problem := gtf.census.problem("annotation.gtf", "exon"):
        raise InputProblem(problem)
    circles = circular.sequences(gtf, lengths)
    genome.check_chromosomes("genome.fa", "annotation.gtf", lengths, gtf.genes, circles)
    gtf.transcripts = transcripts.for_tools(gtf.transcripts, lengths)
    assert all(genome.bed12(gtf.transcripts)) and genome.star_sizes(lengths)
    assert all(end <= lengths[t.chromosome] for t in gtf.transcripts for _, end in t.exons)
    return gtf.genes


@pytest.mark.parametrize("case", parameters(AREAS["reference"]))
def test_what_the_reference_says(case, tmp_path):
    project = Project(tmp_path)
    case.inject(project)
    if case.outcome == ACCEPTED:
        genes = {gene["gene_id"]: gene["length"] for gene in prepared(project)}
        assert genes == {"g1": 100, "g2": 100, "g3": 100} or genes == {"g1": 200}  # the second is the GFF3
        return
    with pytest.raises(InputProblem) as raised:
        prepared(project)
    assert case.message in str(raised.value)
    assert ("config: " in str(raised.value)) == (
        case.outcome == REFUSED
    )  # said before any job, or by the first


def test_reference_of_the_sound_project_has_three_genes(tmp_path):
    (tmp_path / "a.gtf").write_text(GTF)
    assert [gene["gene_id"] for gene in annotation.read(tmp_path / "a.gtf").genes] == ["g1", "g2", "g3"]
    assert FASTA.startswith(">1 primary\n")


@pytest.fixture(scope="module")
def refusals(together, tmp_path_factory):
    """{case: finished run} of every refused case, through the Snakefile."""

    def run(case, folder):
        project = Project(folder)
        case.inject(project)
        project.write()
        before = sorted(folder.rglob("*"))
        run = snakemake(folder, "--dry-run")
        run.written = [
            path for path in folder.rglob("*") if path not in before and ".snakemake" not in path.parts
        ]
        return run

    folders = [tmp_path_factory.mktemp("refused") for _ in REFUSALS]
    return dict(zip(REFUSALS, together.map(run, REFUSALS, folders), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("case", parameters(REFUSALS))
def test_the_workflow_refuses_before_any_job(case, refusals):
    run = refusals[case]
    assert run.returncode != 0 and "Traceback" not in run.text, run.text[-3000:]
    assert case.message in run.text and "no job was started" in run.text, run.text[-3000:]
    assert run.written == []  # no results, and nothing of a command in the input
