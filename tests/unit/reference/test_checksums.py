"""Checksums are remembered of files that stay the same, and of no other."""

import os
import time

import numpy as np
import pytest

from rna2model.reference import checksums, fingerprint


@pytest.fixture
def genome(tmp_path, monkeypatch):
    """A genome that was hashed once, and a list that grows when it is hashed again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checksums, "SETTLED", 0)
    read, again = fingerprint.genome, []
    monkeypatch.setattr(fingerprint, "genome", lambda path: again.append(path) or read(path))
    fasta = tmp_path / "genome.fa"
    letters = np.random.default_rng(0).choice(list("ACGT"), 300_000)
    fasta.write_text(f">1\n{''.join(letters)}\n")
    time.sleep(0.02)
    first = checksums.genome(fasta)
    assert first == read(fasta) and len(again) == 1
    return fasta, first, again, read


def test_the_same_genome_is_read_once(genome):
    fasta, first, again, _ = genome
    assert checksums.genome(fasta) == first and len(again) == 1
    link = fasta.with_name("link.fa")
    link.symlink_to(fasta)
    assert checksums.genome(link) == first and len(again) == 1


def edited(fasta, date):
    """One base in the middle changed in place: the size and both ends stay; and so does the date where `date` is given."""
    with open(fasta, "r+b") as file:
        file.seek(150_000)
        old = file.read(1)
        file.seek(150_000)
        file.write(b"A" if old != b"A" else b"C")
    if date:
        os.utime(fasta, ns=(date, date))


def replaced(fasta, date):
    copy = fasta.with_name("copy.fa")
    copy.write_bytes(fasta.read_bytes())
    edited(copy, date)
    os.replace(copy, fasta)


@pytest.mark.parametrize("keeps_the_date", [True, False])
@pytest.mark.parametrize("change", [edited, replaced])
def test_a_changed_genome_is_read_again_whatever_its_date(genome, change, keeps_the_date):
    fasta, first, again, read = genome
    change(fasta, fasta.stat().st_mtime_ns if keeps_the_date else None)
    now = checksums.genome(fasta)
    assert len(again) == 2 and now == read(fasta) and now != first


def test_a_file_that_changed_a_moment_ago_is_not_remembered(genome, monkeypatch):
    fasta, _, again, _ = genome
    monkeypatch.setattr(checksums, "SETTLED", 5)
    edited(fasta, None)
    checksums.genome(fasta)
    checksums.genome(fasta)
    assert len(again) == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"state": 1}'])
def test_a_damaged_or_absent_cache_costs_only_time(genome, content, tmp_path, monkeypatch):
    fasta, first, _, _ = genome
    for record in (tmp_path / "cache/rna2model/checksums").iterdir():
        record.write_text(content)
    assert checksums.genome(fasta) == first
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert checksums.genome(fasta) == first
