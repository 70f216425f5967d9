"""What a failed tool says is told in its own sentence; what is no fault of the data is not taken for one."""

import pytest

from rna2model.core import tool_failure
from tests.guard import bash

# {tool: (its log, sentence)}: most were written by the tools of Debian 12 and PyPI when they were given such data, and shortened
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


@pytest.fixture
def log(tmp_path):
    return tmp_path / "tool.log"


@pytest.mark.parametrize("tool", DATA)
def test_a_tool_is_cited(log, tool):
    text, sentence = DATA[tool]
    log.write_text(text)
    assert bash('sentence_of "$1" ""', log) == sentence
    assert bash('is_infrastructure "$1" "" "1 139 134 104 141" || echo data', log) == "data"
    assert not tool_failure.is_infrastructure(text)


@pytest.mark.parametrize("fault", MACHINE)
def test_a_fault_of_the_machine_is_none_of_the_data(log, fault):
    text, statuses = MACHINE[fault]
    log.write_text(text)
    assert bash('is_infrastructure "$1" "" "$2" && echo machine', log, statuses) == "machine"
    if not set(statuses.split()) - {"1", "255", "28"}:  # the text alone says it: also to a script
        assert tool_failure.is_infrastructure(text)
        log.write_text("")
        assert bash('is_infrastructure "$1" "$2" 1 && echo machine', log, text) == "machine"


def test_a_sentence_is_short_and_has_no_tabs(log):
    log.write_bytes(b"ERROR:\tan\xff \x07odd  file " + b"x" * 1000 + b"\n")
    sentence = bash('sentence_of "$1" ""', log)
    assert sentence.startswith("ERROR: an odd file xx") and len(sentence) == 200


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("reading\nall is well\n", ""),
        ("reading\nall is well\nexit status 137 1\n", "exit status 137 1"),
        ("Error: odd\nexit status 1\n", "Error: odd"),
        ("the file is corrupt\nexit status 1\n", "the file is corrupt"),
    ],
)
def test_the_last_lines_of_a_run_cite_errors_only(log, text, sentence):
    log.write_text(text)
    assert bash('sentence_of "$1" "" errors', log) == sentence
