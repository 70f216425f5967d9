"""Lanes of a library are joined without a change to their reads."""

import gzip

from rna2model.reads import lanes
from tests.unit.reads.test_fastq import fastq


def test_lanes_join_in_order_and_a_single_lane_is_only_linked(tmp_path):
    one, two, plain = tmp_path / "1.fastq.gz", tmp_path / "2.fastq.gz", tmp_path / "3.fastq"
    one.write_bytes(gzip.compress(fastq(2)))
    two.write_bytes(gzip.compress(fastq(3)))
    plain.write_bytes(fastq(4))
    target = tmp_path / "out.fastq.gz"
    lanes.join([(one,), (two,), (plain,)], [target], good=True)
    assert gzip.decompress(target.read_bytes()) == fastq(2) + fastq(3) + fastq(4)
    lanes.join([(one,)], [target], good=True)
    assert target.is_symlink() and target.resolve() == one
    lanes.join([(one,)], [target], good=False)
    assert not target.is_symlink() and gzip.decompress(target.read_bytes()) == b"" and one.exists()
