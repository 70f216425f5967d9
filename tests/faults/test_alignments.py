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
    given = Alignments(tmp_path)
    case.inject(given)
    problem, found = bam.take_over(given.path, tmp_path / "out.bam", CONTIGS, tmp_path / "genome.fa")
    if case.outcome == EXCLUDED:
        with pysam.AlignmentFile(tmp_path / "out.bam") as file:
            assert (
                case.message in problem and not list(file.fetch(until_eof=True)) and found["fragments"] == 0
            )
        return
    assert problem is None and found["fragments"] == case.fragments
    assert found["note"] == "" if case.outcome == ACCEPTED else case.message in found["note"]
