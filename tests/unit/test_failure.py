"""What a failed tool says is told in its own sentence; what is no fault of the data is not taken for one."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
from tests.command import REPOSITORY

from rna2model import failure

GUARD = REPOSITORY / "scripts/guard.sh"

# {tool: (its log, sentence)}: written by STAR 2.7.10b, HISAT2 2.2.1, bowtie2 2.5.0, samtools 1.16, fastp 0.23.2, cutadapt 5.2, Trim
# Galore 0.6.10, featureCounts 2.0.3, HTSeq 2, Salmon 1.10, umi_tools 1.1, FastQC 0.11.9, RSeQC 5
DATA = {
    "STAR, a record cut short": (
        "\nEXITING because of FATAL ERROR in reads input: quality string length is not equal to sequence length\n@bad:1:2\n"
        "ACGTACGT\nIII\nSOLUTION: fix your fastq file\n\nNov 27 23:33:40 ...... FATAL ERROR, exiting\n"
        'samtools sort: failed to read header from "-"\n',
        "EXITING because of FATAL ERROR in reads input: quality string length is not equal to sequence length: @bad:1:2",
    ),
    "STAR, no FASTQ": (
        "\nReadAlignChunk_processChunks.cpp:204:processChunks EXITING because of FATAL ERROR in input reads: wrong read ID line"
        " format: the read ID lines should start with @ or > \nOffending line for read # 1\nhello \n"
        "SOLUTION: verify and correct the input read files\n\nNov 27 23:33:40 ...... FATAL ERROR, exiting\n",
        "EXITING because of FATAL ERROR in input reads: wrong read ID line format: the read ID lines should start with @ or > :"
        " Offending line for read # 1",
    ),
    "STAR, an odd error without an explanation": (
        "EXITING because of FATAL ERROR: number of bytes expected from the BAM bin\nSOLUTION: re-map\nNov 27 FATAL ERROR, exiting\n",
        "EXITING because of FATAL ERROR: number of bytes expected from the BAM bin",
    ),
    "HISAT2": (
        "Error: Read bad:1:2 has more read characters than quality values.\nterminate called after throwing an instance of 'int'\n"
        'Aborted\n(ERR): hisat2-align exited with value 134\n[main_samview] fail to read the header from "-".\n',
        "Error: Read bad:1:2 has more read characters than quality values.",
    ),
    "bowtie2": (
        "Error: reads file does not look like a FASTQ file\nterminate called after throwing an instance of 'int'\nAborted\n"
        '(ERR): bowtie2-align exited with value 134\nFailed to read header for "-"\n',
        "Error: reads file does not look like a FASTQ file",
    ),
    "samtools, a long name": (
        "[E::sam_parse1] query name too long\n[W::sam_read1_sam] Parse error at line 4\nsamtools sort: truncated file. Aborting\n",
        "[E::sam_parse1] query name too long",
    ),
    "samtools, a truncated file": (
        "[W::bam_hdr_read] EOF marker is absent. The input is probably truncated\n"
        "[E::bgzf_read_block] Failed to read BGZF block data at offset 0 expected 133 bytes; hread returned 132\n"
        '[E::bam_hdr_read] Invalid BAM binary header\nsamtools view: error closing "x.bam": -1\n',
        "[E::bgzf_read_block] Failed to read BGZF block data at offset 0 expected 133 bytes; hread returned 132",
    ),
    "fastp": (
        "Detecting adapter sequence for read1...\nERROR: sequence and quality have different length:\n@bad:1:2\nACGTACGT\n+\nIII\n",
        "ERROR: sequence and quality have different length: @bad:1:2",
    ),
    "cutadapt": (
        "This is cutadapt 5.2 with Python 3.11.7\nProcessing paired-end reads on 1 core ...\nError in sequence file at unknown line:"
        " Reads are improperly paired. There are more reads in file 1 than in file 2.\n",
        "Error in sequence file at unknown line: Reads are improperly paired. There are more reads in file 1 than in file 2.",
    ),
    "Trim Galore": (
        "Processing single-end reads on 1 core ...\nError in FASTQ file at line 204: Length of sequence and qualities differ\n\n\n"
        "Cutadapt terminated with exit signal: '256'.\nTerminating Trim Galore run, please check error message(s) to get an idea"
        " what went wrong...\n\n",
        "Error in FASTQ file at line 204: Length of sequence and qualities differ",
    ),
    "featureCounts": (
        "||    Chromosomes/contigs : 1                                 ||\n||   \n|| Process BAM file ok.bam...            ||\n"
        "ERROR: No paired-end reads were detected in paired-end read library : ok.bam\n",
        "ERROR: No paired-end reads were detected in paired-end read library : ok.bam",
    ),
    "HTSeq": (
        "1 GFF lines processed.\nError occurred when reading beginning of SAM/BAM file.\n  file does not contain alignment data\n"
        "  [Exception type: ValueError, raised in libcalignmentfile.pyx:957]\n",
        "Error occurred when reading beginning of SAM/BAM file.: file does not contain alignment data",
    ),
    "Salmon": (
        "[2026-11-27 23:33:45.035] [jointLog] [info] done\n[2026-11-27 23:33:45.119] [jointLog] [error] \n\n"
        "[2026-11-27 23:33:45.119] [jointLog] [error] Processing reads : Error reading from the FASTA/Q stream.\n",
        "Processing reads : Error reading from the FASTA/Q stream.",
    ),
    "umi_tools": (
        'Traceback (most recent call last):\n  File "/x/bin/umi_tools", line 6, in <module>\n    sys.exit(main())\n'
        "             ^^^^^^\n    raise ValueError('Read sequence: %s is shorter than pattern: %s' % (\n"
        "ValueError: Read sequence: ACG is shorter than pattern: NNNN\n",
        "ValueError: Read sequence: ACG is shorter than pattern: NNNN",
    ),
    "FastQC": (
        "Failed to process g.fastq\nuk.ac.babraham.FastQC.Sequence.SequenceFormatException: ID line didn't start with '@'\n"
        "\tat uk.ac.babraham.FastQC.Sequence.FastQFile.readNext(FastQFile.java:158)\n",
        "uk.ac.babraham.FastQC.Sequence.SequenceFormatException: ID line didn't start with '@'",
    ),
    "RSeQC": (
        "Cannot get coverage signal from ok.bam! Skip\ngeneBody_coverage.py: error: no valid coverage profiles were generated\n",
        "geneBody_coverage.py: error: no valid coverage profiles were generated",
    ),
    "a C++ program": (
        "terminate called after throwing an instance of 'std::out_of_range'\n  what():  vector::_M_range_check: __n (which is 7)\n",
        "vector::_M_range_check: __n (which is 7)",
    ),
    "only words that sound like an error": (
        "reading\nsomething is corrupt in block 7\ngoing on\nbye\n",
        "something is corrupt in block 7",
    ),
    "a progress bar and colours": ("\x1b[31m 10 %\r 20 %\r\x1b[0mlast state\n\n", "last state"),
    "nothing at all": ("\n\n", ""),
}
MACHINE = {  # what to say of each: the log, the exit statuses of its commands
    "killed, in STAR's start script": ("/usr/bin/STAR: line 7: 21788 Killed    ${cmd}\n", "1"),
    "killed, and samtools after it": ('samtools sort: failed to read header from "-"\n', "137 1"),
    "killed within HISAT2": ("(ERR): hisat2-align died with signal 9 (KILL)\n", "1"),
    "ended by the scheduler": ("", "143"),
    "time is up": ("", "152"),
    "a file too large": ("/usr/bin/STAR: line 7: 21788 File size limit exceeded\n", "153"),
    "a program that is not there": (
        "bash: line 1: nosuchtool: command not found\n[main_samview] fail to read\n",
        "127 1",
    ),
    "a program that is not there, of sh": ("sh: 1: nosuchtool: not found\n", "1"),
    "a library that is not there": (
        "STAR: error while loading shared libraries: libgomp.so.1: cannot open shared object file: No such file or directory\n",
        "1",
    ),
    "Salmon without memory": (
        "Exception : [std::bad_alloc]\nsalmon quant was invoked improperly.\nExiting.\n",
        "1",
    ),
    "STAR without memory": (
        "EXITING: fatal error trying to allocate genome arrays, exception thrown: std::bad_alloc\nPossible cause 1: not enough RAM.",
        "1",
    ),
    "samtools without memory": ("samtools sort: couldn't allocate memory: Cannot allocate memory\n", "1"),
    "Java without memory": (
        "Error occurred during initialization of VM\nInitial heap size set to a larger value\n",
        "1",
    ),
    "Java without memory, later": (
        "Exception in thread main java.lang.OutOfMemoryError: Java heap space\n",
        "1",
    ),
    "Python without memory": ("Traceback (most recent call last):\nMemoryError\n", "1"),
    "Python without a package": ("ModuleNotFoundError: No module named 'HTSeq'\n", "1"),
    "a full disk": ("samtools sort: failed writing to 'x.bam': No space left on device\n", "1"),
    "a full quota": ("[E::bgzf_flush] File write failed (wrong size)\n: Disk quota exceeded", "1"),
    "fastp, a full disk": ("ERROR: Failed to write output file: x.fastq.gz\n", "255"),
    "a disk that fails": ("gzip: x.fastq.gz: Input/output error\n", "1"),
    "a file server": ("cat: x: Stale file handle\n", "1"),
    "a disk that became read-only": ("rm: cannot remove 'x': Read-only file system\n", "1"),
    "not permitted": ("/bin/sh: x: Permission denied\n", "126"),
    "a missing file": ("[E::hts_open_format] Failed to open file 'x': No such file or directory\n", "1"),
    "threads": ("pigz: abort: thread: Resource temporarily unavailable\n", "1"),
    "too many files": ("[E::bgzf_open] x: Too many open files\n", "1"),
    "SLURM": ("slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch\n", "1"),
    "network": ("curl: (28) Operation timed out\n", "28"),
    "a crash on a full disk that is mapped": ("", "135"),
    "a processor without what the program needs": ("", "132"),
}


def bash(script, *arguments, status=0):
    command = ["bash", "-c", f'set -euo pipefail; source "$0"; {script}', GUARD, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout.rstrip("\n")


@pytest.fixture
def log(tmp_path):
    return tmp_path / "tool.log"


@pytest.mark.parametrize("tool", DATA)
def test_a_tool_is_cited(log, tool):
    text, sentence = DATA[tool]
    log.write_text(text)
    assert bash('sentence_of "$1" ""', log) == sentence
    assert bash('is_infrastructure "$1" "" "1 139 134 104 141" || echo data', log) == "data"
    assert not failure.is_infrastructure(text)


@pytest.mark.parametrize("fault", MACHINE)
def test_a_fault_of_the_machine_is_none_of_the_data(log, fault):
    text, statuses = MACHINE[fault]
    log.write_text(text)
    assert bash('is_infrastructure "$1" "" "$2" && echo machine', log, statuses) == "machine"
    if not set(statuses.split()) - {"1", "255", "28"}:  # the text alone says it: also to a script
        assert failure.is_infrastructure(text)
        log.write_text("")
        assert bash('is_infrastructure "$1" "$2" 1 && echo machine', log, text) == "machine"


def test_a_sentence_is_short_and_has_no_tabs(log):
    log.write_bytes(b"ERROR:\tan\xff \x07odd  file " + b"x" * 1000 + b"\n")
    said = bash('sentence_of "$1" ""', log)
    assert said.startswith("ERROR: an odd file xx") and len(said) == 200


JOB = """
tool() {{
{command}
}}
guard align s1 {policy} {kind} {folder}/logs/align/s1.log {folder}/reads.fastq -- {folder}/one {folder}/two
"""


@pytest.fixture
def guarded(tmp_path):
    """Function that runs a command as the rule `align` of sample s1 does; its exit status."""
    (tmp_path / "logs/align").mkdir(parents=True)
    (tmp_path / "reads.fastq").write_text("@r\n")

    def run(command, status, policy="exclude", kind="files"):
        command = command.replace("LOG", str(tmp_path / "logs/align/s1.log"))
        bash(JOB.format(command=command, policy=policy, kind=kind, folder=tmp_path), status=status)
        return [failure.of(tmp_path / name) for name in ("one", "two")]

    run.folder = tmp_path
    return run


def test_the_same_failure_twice_is_a_verdict(guarded):
    fail = "echo 'Error: odd read {} in /a/{}' 2>&1 >LOG; exit 3"
    assert guarded(fail.format(17, "x"), 3) == [None, None]
    found, other = guarded(fail.format(23, "y"), 0)
    assert found == other
    assert found.reason == "align failed twice: Error: odd read 23 in /a/y"
    assert (found.sample, found.rule, found.file) == ("s1", "align", f"{guarded.folder}/one")
    assert guarded(fail.format(17, "x"), 3) == [found, found]  # the next time counts anew


@pytest.mark.parametrize(
    "between",
    [
        "echo 'Error: another' >LOG; exit 3",
        "kill -9 $BASHPID",
        "echo 'No space left on device' >&2; exit 3",
        "true",
    ],
)
def test_two_failures_with_another_end_between_are_none(guarded, between):
    same = "echo 'Error: odd' >LOG; exit 3"
    guarded(same, 3)
    status = 0 if between == "true" else 137 if "kill" in between else 3
    assert guarded(between, status) == [None, None]
    assert guarded(same, 3) == [None, None]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("sh -c 'kill -9 $$' | (cat >/dev/null; exit 1)", 1),
        ("(sh -c 'kill -9 $$' | (cat >/dev/null; exit 1)) 2>LOG", 1),
        ("nosuchtool 2>LOG", 127),
        ("prlimit --fsize=10 sh -c 'echo 12345678901234567890 >$0.big' LOG", 153),
    ],
)
def test_what_the_machine_did_is_never_a_verdict(guarded, command, status):
    for _ in range(3):
        assert guarded(command, status) == [None, None]


def test_stop_gives_every_failure_back(guarded):
    for _ in range(3):
        assert guarded("echo 'Error: odd' >LOG; exit 3", 3, policy="stop") == [None, None]
    assert bash('sentence_of "$1" ""', guarded.folder / "logs/align/s1.log") == "Error: odd"


def test_commands_stop_at_their_first_failure_and_clean_up(guarded):
    folder = guarded.folder
    guarded(f"trap 'touch {folder}/cleaned' EXIT; false; touch {folder}/went_on", 1)
    assert (folder / "cleaned").exists() and not (folder / "went_on").exists()
    guarded(f"exec >LOG; echo said; echo made >{folder}/one; touch {folder}/two; exit 0; false", 0)
    assert (folder / "logs/align/s1.log").read_text() == "said\n" and (folder / "one").read_text() == "made\n"


@pytest.mark.parametrize("kind", ["files", "folders"])
def test_a_mark_is_handed_on(guarded, kind):
    folder, fault = (
        guarded.folder,
        failure.Failure("s1", "trim", "trim.log", "s1.fastq", "trim failed twice: odd"),
    )
    if kind == "folders":
        (folder / "reads.fastq").unlink()
        (folder / "reads.fastq").mkdir()
    fault.mark([folder / "reads.fastq" if kind == "files" else folder / "reads.fastq/failed.txt"])
    assert guarded(f"touch {folder}/ran", 0, kind=kind) == [fault, fault]
    assert not (folder / "ran").exists() and (folder / "one").is_dir() == (kind == "folders")
    assert guarded("true", 1, policy="stop") == [fault, fault]
    assert "--forcerun s1.fastq" in (folder / "logs/align/s1.log").read_text()


def test_other_files_are_no_marks(tmp_path):
    for content in (b"", b"#rna2", b"\x1f\x8b\x00\x00", b"BAM\1\x00\xff" * 99):
        path = tmp_path / "file"
        path.write_bytes(content)
        assert failure.of(path) is None
        assert bash('first_line "$1"; case $line in "$MARK"*) echo marked ;; esac', path) == ""
    assert failure.of(tmp_path) is None and failure.of(tmp_path / "none") is None


SCRIPT = """
from types import SimpleNamespace
from snakemake.iocontainers import InputFiles, Log, OutputFiles, Wildcards
from rna2model import job
from rna2model.errors import InputProblem
job.start(SimpleNamespace(
    input=InputFiles(["reads.fastq"]), output=OutputFiles(["one"]), log=Log(["logs/describe/s1.log"]),
    wildcards=Wildcards(fromdict={"sample": "s1"}), rule="describe",
    config={"qc": {"on_tool_failure": POLICY}},
))
"""


@pytest.fixture
def script(tmp_path):
    """Function that runs the script of a sample twice; the exit statuses, what its output is the mark of, its log."""
    (tmp_path / "logs/describe").mkdir(parents=True)
    (tmp_path / "reads.fastq").write_text("@r\n")

    def run(body, policy="exclude", times=2):
        code = SCRIPT.replace("POLICY", repr(policy)) + textwrap.dedent(body)
        statuses = [
            subprocess.run(
                [sys.executable, "-c", code],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")},
                capture_output=True,
            ).returncode
            for _ in range(times)
        ]
        return statuses, failure.of(tmp_path / "one"), (tmp_path / "logs/describe/s1.log").read_text()

    run.folder = tmp_path
    return run


def test_a_script_that_fails_twice_is_a_verdict(script):
    statuses, found, log = script("raise ValueError('odd\\tread 7')")
    assert statuses == [1, 0] and found.reason == "describe failed twice: ValueError: odd read 7"
    assert "Traceback" in log  # for whoever mends it
    assert json.loads(json.dumps(failure.facts(found)))["problem"] == found.reason


def test_what_is_wrong_with_the_input_is_tried_once(script):
    statuses, found, log = script("raise InputProblem('s1: 3 fragments, but 4')", times=1)
    assert (
        statuses == [0] and found.reason == "describe stopped: 3 fragments, but 4" and "Traceback" not in log
    )


@pytest.mark.parametrize(
    "body",
    [
        "raise MemoryError",
        "import nosuchpackage",
        "open('nosuchfolder/file', 'w')",
        "raise OSError(28, 'No space left on device')",
        "import os; os.kill(os.getpid(), 9)",
        "raise InputProblem('reads.fastq cannot be read: Input/output error')",
    ],
)
def test_a_script_is_not_to_blame_for_the_machine(script, body):
    statuses, found, _ = script(body)
    assert 0 not in statuses and found is None


def test_a_script_stops_where_it_is_asked_to(script):
    statuses, found, _ = script("raise InputProblem('odd')", policy="stop")
    assert statuses == [1, 1] and found is None
    assert failure.stopped_for_good(script.folder / "logs/describe/s1.log") == "odd"


def test_a_script_hands_a_mark_on(script):
    fault = failure.Failure("s1", "trim", "trim.log", "s1.fastq", "trim failed twice: odd")
    fault.mark([script.folder / "reads.fastq"])
    statuses, found, _ = script("raise SystemError('it was run')", times=1)
    assert statuses == [0] and found == fault


def test_an_input_problem_of_an_earlier_run_says_nothing_of_this_one(log):
    log.write_text("reading\nerror: the index is of another genome:\nchrIV\n")
    assert failure.stopped_for_good(log) == "the index is of another genome:\nchrIV"
    assert failure.stopped_for_good(log, since=log.stat().st_mtime + 1) is None
    log.write_text("error: results cannot be written: Read-only file system\n")
    assert failure.stopped_for_good(log) is None and failure.stopped_for_good("none.log") is None


def test_the_facts_of_a_failed_sample_keep_its_reads_and_its_first_problem(tmp_path):
    fault = failure.Failure("s1", "align_star", "star.log", "s1.bam", "align_star failed twice: odd")
    verdict = tmp_path / "verdict.json"
    verdict.write_text(json.dumps({"reads": 12, "problem": None}))
    facts = failure.facts(fault, verdict)
    assert facts["reads"] == facts["fates"]["faulty"] == sum(facts["fates"].values()) == 12
    assert facts["problem"] == fault.reason and facts["failure"]["file"] == "s1.bam"
    verdict.write_text(json.dumps({"reads": 12, "problem": "no reads"}))
    facts = failure.facts(fault, verdict)
    assert facts["problem"] == "no reads" and "failure" not in facts  # nobody need look for a tool
    fault.mark([verdict])
    assert failure.facts(fault, verdict)["reads"] == 0
