"""Temporary files lie below the job's TMPDIR where it has room, else beside the output, and are gone however the job ends."""

import os
import subprocess

import pytest

from rna2model.core import scratch
from tests.command import REPOSITORY
from tests.guard import GUARD

HUGE = 10**18  # bytes; no disk has them


@pytest.fixture
def places(tmp_path, monkeypatch):
    """(TMPDIR, output of a job)."""
    node, results = tmp_path / "node", tmp_path / "results"
    node.mkdir()
    results.mkdir()
    monkeypatch.setenv("TMPDIR", str(node))
    monkeypatch.setattr("tempfile.tempdir", None)
    return node, results / "s.bam"


@pytest.mark.parametrize(("size", "beside"), [(1000, False), (HUGE, True)])
def test_a_script_works_where_there_is_room(places, size, beside):
    node, output = places
    with pytest.raises(RuntimeError), scratch.folder(size, output) as folder:
        assert folder.parent == (output.parent if beside else node)
        (folder / "part").write_text("x")
        raise RuntimeError
    assert not os.listdir(node) and not os.listdir(output.parent)


def test_without_a_folder_that_can_be_used_it_is_beside_the_output(places, monkeypatch, tmp_path):
    _, output = places
    (tmp_path / "with space").mkdir()
    for odd in (tmp_path / "none", tmp_path / "with space"):
        monkeypatch.setenv("TMPDIR", str(odd))
        with scratch.folder(1000, output) as folder:
            assert folder.parent == output.parent


@pytest.mark.parametrize("end", ["true", "false", "kill -TERM $BASHPID"])
@pytest.mark.parametrize("factor", [1, 10**9])
def test_a_command_leaves_nothing_however_it_ends(places, tmp_path, end, factor):
    node, output = places
    reads = tmp_path / "reads.fastq.gz"
    reads.write_bytes(bytes(2_000_000))
    left = output.with_name("s.bam.tmp")  # by a killed run
    left.mkdir()
    (left / "old").write_text("x")
    log = tmp_path / "logs/rule/s.log"
    log.parent.mkdir(parents=True)
    script = f"""
        set -euo pipefail; source {GUARD}
        tool() {{
            take_scratch {factor} {output} {reads}
            echo "$scratch"; ls "$scratch"; touch "$scratch"/part
            {end}
        }}
        guard s files {log} {reads} -- {output}
    """
    environment = os.environ | {"RNA2MODEL_ON_TOOL_FAILURE": "stop"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment)
    assert (done.returncode == 0) == (end == "true"), done.stderr
    used = done.stdout.split()
    assert len(used) == 1 and used[0].startswith(str(left if factor > 1 else node)), done
    assert not os.listdir(node) and (factor == 1 or not left.exists())


def test_no_tool_that_writes_beside_its_output_is_left():
    """Sorts, collations and downloads name the folder for their temporary files."""
    text = "".join(path.read_text() for path in sorted((REPOSITORY / "rules").rglob("*.smk")))
    for line in text.splitlines():
        if "samtools sort" in line or ("outTmpDir" in line and "output}/tmp" not in line):
            assert '"$scratch/' in line, line
    assert "--temp {params" not in text and 'collate -u -O {input.bam} "$scratch/part"' in text
