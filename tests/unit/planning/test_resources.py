"""What jobs ask for, by the size of genome and input and by the attempt, and what the partitions of a cluster leave of it."""

from types import SimpleNamespace

import pytest
import snakemake.cli  # noqa: F401 - first, as snakemake.dag and others import each other
from snakemake.resources import Resource, Resources

from rna2model.inputs.sheet import Sample
from rna2model.planning import slurm_requests
from rna2model.planning.partitions import Partitions
from rna2model.planning.resources import SNAKEMAKE_MB, JobResources, round_up_to_cloud_size
from rna2model.planning.run_plan import RunPlan, files_that_stay

CONFIG = {"results": "results", "reference": {"fasta": "genome.fa"}}


def resources(fasta="genome.fa", genome_bytes=1e9, **options):
    config = CONFIG | {"reference": {"fasta": fasta}}
    return JobResources(config, {}, trained=4, bytes_of=lambda path: genome_bytes, **options)


@pytest.fixture
def files(tmp_path):
    """Two files of 3 MB together."""
    for name, size in (("a", 1_000_000), ("b", 2_000_000)):
        (tmp_path / name).write_bytes(bytes(size))
    return [tmp_path / "a", tmp_path / "b"]


def test_memory_doubles_and_time_grows_with_each_attempt(files):
    ask = resources()
    needed = ask.megabytes(1000, per_genome_mb=2, per_input_mb=10)
    at = [needed(wildcards=None, input=files, attempt=attempt, threads=1) for attempt in (1, 2, 3)]
    assert at == [(SNAKEMAKE_MB + 1000 + 2 * 1000 + 30) * factor for factor in (1, 2, 4)]
    needed = ask.minutes(10, per_gigabyte=1000)
    assert [needed(None, files, attempt) for attempt in (1, 2)] == [13, 26]


def test_what_needs_no_input_is_known_before_it_is_there(tmp_path):
    ask, missing = resources(), [tmp_path / "none"]
    assert ask.megabytes(100, per_genome_mb=1)(None, missing, 1, 1) == SNAKEMAKE_MB + 1100
    with pytest.raises(FileNotFoundError):
        ask.megabytes(100, per_input_mb=1)(None, missing, 1, 1)


def test_a_packed_genome_is_four_times_its_file_and_a_small_one_is_indexed_by_one_thread():
    assert resources("genome.fa.gz").genome_mb() == 4000 and resources().genome_mb() == 1000
    assert resources().index_threads(None) == 8 and resources(genome_bytes=1e6).index_threads(None) == 1


@pytest.mark.parametrize(
    ("mb", "threads", "asked"),
    [(1, 1, 2048), (1500, 1, 2048), (3000, 1, 3072), (16385, 1, 20480), (61441, 1, 65536), (1000, 8, 16384)],
)
def test_clouds_sell_memory_in_steps_and_two_gigabytes_per_thread(mb, threads, asked):
    assert round_up_to_cloud_size(mb, threads) == asked
    ask = resources(as_sold=True)
    assert ask.megabytes(mb - SNAKEMAKE_MB)(None, [], 1, threads) == asked


def test_a_plan_goes_by_the_sizes_that_files_will_have(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ask = resources()
    with ask.planning():
        assert ask.size_mb(["results/reference/genome.fa"]) == 1000 and ask.is_planning
    assert not ask.is_planning
    with pytest.raises(FileNotFoundError):
        ask.size_mb(["results/reference/genome.fa"])


class Rule:
    """A rule with the resources that the partitions may cut, as Snakemake has it."""

    def __init__(self, name, mem_mb, runtime=lambda wildcards, input, attempt: 60):
        self.name, self.restart_times = name, 2
        self.resources = Resources({n: Resource(n, f) for n, f in (("mem_mb", mem_mb), ("runtime", runtime))})
        self.resources["gpu"] = Resource("gpu", 0)

    def expand_resources(self, wildcards, input, attempt):
        told = {"input": input, "attempt": attempt, "threads": 4}
        found = {
            name: self.resources[name].evaluate(wildcards, **told).value for name in ("mem_mb", "runtime")
        }
        return found | {"_cores": 4}


def partitions(ask, known, grouped=(), overwritten=()):
    workflow = SimpleNamespace(
        is_main_process=False,
        group_settings=SimpleNamespace(overwrite_groups=dict.fromkeys(grouped, "g")),
        resource_settings=SimpleNamespace(_parsed_overwrite_resources={name: {"mem_mb": 1} for name in overwritten}),
        executor_settings=None,
    )  # fmt: skip
    found = Partitions(workflow, ask)
    found.known = lambda: known
    return found


@pytest.mark.parametrize(
    ("grouped", "overwritten", "asked"),
    [
        ((), (), [2400, 4800, 5000]),
        (("train",), (), [2400, 4500, 4500]),
        ((), ("train",), [2400, 4800, 9600]),
    ],
)
def test_later_attempts_are_cut_to_the_largest_partition_unless_the_user_sets_them(
    grouped, overwritten, asked
):
    ask = resources()
    rule = Rule("train", ask.megabytes(2000))
    partitions(ask, [slurm_requests.Partition("cpu", 5000, 100, 8)], grouped, overwritten).fit(rule)
    assert [rule.expand_resources(None, [], attempt)["mem_mb"] for attempt in (1, 2, 3)] == asked
    with ask.planning(uncut=True):
        assert rule.expand_resources(None, [], 3)["mem_mb"] == 9600


def job(rule, sample, outputs=("a", "b")):
    return SimpleNamespace(
        rule=rule, wildcards=None, wildcards_dict={"sample": sample}, input=[], group=None,
        output=list(outputs), temp_output=["b"], log=["l"], benchmark="t",
    )  # fmt: skip


def test_the_plan_sums_requests_and_names_what_fits_no_partition(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ask = resources()
    known = partitions(ask, [slurm_requests.Partition("cpu", 5000, 100, 8)])
    small, large = Rule("trim", ask.megabytes(600)), Rule("align", ask.megabytes(6000))
    jobs = [job(small, "x"), job(small, "y"), job(large, "x")]
    plan = RunPlan(
        SimpleNamespace(dag=SimpleNamespace(needrun_jobs=lambda: jobs)), ask, known, [], lambda: "disk: x"
    )
    for rule in (small, large):
        known.fit(rule)
    problems, notes = plan.unfit_rules(jobs)
    assert len(problems) == 1 and problems[0].startswith("align: 6.4 GB") and notes == []
    text = plan.text()
    assert "3 jobs in about 3 submissions; they leave about 9 files" in text and "disk: x" in text
    assert "They reserve at most 12 core hours" in text and files_that_stay(jobs[0]) == 3
    assert (
        plan.request(jobs[2], attempt=2).mem_mb == 12800 and plan.request(jobs[2], uncut=False).mem_mb == 5000
    )


def test_reads_of_a_sample_count_in_the_plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    samples = {"a": Sample("a", 2, "auto", "", {}, accessions=["SRR1000001"])}
    ask = JobResources(CONFIG, samples, 1, bytes_of=lambda path: 1e9)
    plan = RunPlan(
        SimpleNamespace(dag=SimpleNamespace(needrun_jobs=lambda: [])), ask, partitions(ask, []), ["a"], str
    )
    assert "core hours as measured" in plan.text()  # 4 GB of an accession
