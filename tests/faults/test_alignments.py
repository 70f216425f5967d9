"""Faults of BAM files: by the functions of the rule that takes them over."""

import pysam
import pytest

from rna2model.reads import bam
from tests.faults.case import ACCEPTED, EXCLUDED
from tests.faults.catalogue import AREAS
from tests.faults.catalogue.alignmentfiles import Alignments
from tests.faults.conftest import parameters
from tests.faults.project import FASTA

CONTIGS = {"1": 400, "2": 200}


@pytest.mark.parametrize("case", parameters(AREAS["alignments"]))
def test_what_becomes_of_given_alignments(case, tmp_path):
    (tmp_path / "genome.fa").write_text(FASTA)
    alignments = Alignments(tmp_path)
    case.inject(alignments)
    problem, summary = bam.take_over(alignments.path, tmp_path / "out.bam", CONTIGS, tmp_path / "genome.fa")
    if case.outcome == EXCLUDED:
        with pysam.AlignmentFile(tmp_path / "out.bam") as file:
            assert (
                case.message in problem and not list(file.fetch(until_eof=True)) and summary["fragments"] == 0
            )
        return
    assert problem is None and summary["fragments"] == case.fragments
    assert summary["note"] == "" if case.outcome == ACCEPTED else case.message in summary["note"]
