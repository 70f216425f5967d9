"""Count files of single samples: each program's own format gives the same genes and values."""

import gzip

import numpy as np
import pytest

from rna2model.core.errors import InputProblem
from rna2model.inputs import sample_count_files
from rna2model.planning import preflight

GENES = [f"ENSG{i:011}" for i in range(1, 9)]
COUNTS = np.random.default_rng(4).poisson(500, 8)
N_ROWS = ["N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"]


def lines(*rows):
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def each(*more, genes=GENES):
    return [[gene, *(cell(i) if callable(cell) else cell for cell in more)] for i, gene in enumerate(genes)]


def count(i):
    return COUNTS[i]


def star(forward=3, reverse=COUNTS):
    return lines(
        *([n, 9, 9, 9] for n in N_ROWS), *each(lambda i: COUNTS[i] + 3, forward, lambda i: reverse[i])
    )


def htseq():
    return lines(*each(count), ["__no_feature", 8], ["__ambiguous", 1])


def feature_counts():
    header = ["Geneid", "Chr", "Start", "End", "Strand", "Length", "a.bam"]
    return '# Program:featureCounts v2.0.6; Command:"x"\n' + lines(
        header, *each("1;1", "1;5", "3;9", "+;+", 8, count)
    )


def gdc():
    header = [
        "gene_id",
        "gene_name",
        "gene_type",
        "unstranded",
        "stranded_first",
        "stranded_second",
        "tpm_unstranded",
        "fpkm_unstranded",
    ]
    rows = [[n, "", "", 5, 5, 5, "", ""] for n in N_ROWS]
    return "# gene-model: GENCODE v36\n" + lines(header, *rows, *each("A", "lincRNA", 7, 1, count, 2.5, 1.5))


def salmon(genes=GENES):
    return lines(
        ["Name", "Length", "EffectiveLength", "TPM", "NumReads"], *each(900, 700.5, 2.5, count, genes=genes)
    )


def kallisto(genes):
    return lines(
        ["target_id", "length", "eff_length", "est_counts", "tpm"], *each(900, 700, count, 2.5, genes=genes)
    )


def rsem():
    header = ["gene_id", "transcript_id(s)", "length", "effective_length", "expected_count", "TPM", "FPKM"]
    return lines(header, *each("T1,T2", 900, 700, count, 2.5, 3.5))


def isoforms():
    header = [
        "transcript_id",
        "gene_id",
        "length",
        "effective_length",
        "expected_count",
        "TPM",
        "FPKM",
        "IsoPct",
    ]
    return lines(
        header,
        *(
            row
            for i, g in enumerate(GENES)
            for row in ([f"T{i}", g, 9, 7, COUNTS[i] - 1, 2, 3, 50], [f"U{i}", g, 9, 7, 1, 0.5, 3, 50])
        ),
    )


def files(folder, *texts, strandedness="auto"):
    count_files = []
    for place, text in enumerate(texts):
        path = folder / f"{place}.txt"
        path.write_bytes(gzip.compress(text.encode()) if place % 2 else text.encode())
        count_files.append(sample_count_files.CountFile(f"s{place}", str(path), place + 2, strandedness))
    return count_files


BY_COUNT = {"star": star, "htseq": htseq, "featurecounts": feature_counts, "gdc": gdc}
ESTIMATED = {"salmon": salmon, "rsem": rsem, "isoforms": isoforms}


@pytest.mark.parametrize("name", [*BY_COUNT, *ESTIMATED])
def test_every_program_gives_its_genes_and_counts_plain_and_gzipped(name, tmp_path):
    text = (BY_COUNT | ESTIMATED)[name]()
    table, notes = sample_count_files.read(
        files(tmp_path, text, text), "sheet.tsv", "expected_counts" if name in ESTIMATED else "counts"
    )
    assert list(table.index) == GENES and list(table.columns) == ["s0", "s1"]
    assert (table.to_numpy() == COUNTS[:, None]).all()
    assert any("reverse" in note for note in notes) == (name in ("star", "gdc"))


@pytest.mark.parametrize("name", ["gdc", *ESTIMATED])
def test_tpm_are_taken_where_the_unit_is_tpm(name, tmp_path):
    table, _ = sample_count_files.read(files(tmp_path, (BY_COUNT | ESTIMATED)[name]()), "sheet.tsv", "tpm")
    assert (table["s0"] == 2.5).all()


@pytest.mark.parametrize(
    ("strand", "values"), [("unstranded", COUNTS + 3), ("forward", 3), ("reverse", COUNTS)]
)
def test_the_sheet_says_which_column_of_star_is_taken(strand, values, tmp_path):
    table, _ = sample_count_files.read(files(tmp_path, star(), strandedness=strand), "sheet.tsv")
    assert (table["s0"] == values).all()


@pytest.mark.parametrize("write", [salmon, kallisto])
def test_transcripts_are_summed_to_genes_by_the_annotation(write, tmp_path):
    names = [f"ENST{i:011}" for i in range(8)]
    gtf = tmp_path / "a.gtf"
    gtf.write_text(
        "".join(
            f'1\tx\texon\t{i * 99 + 1}\t{i * 99 + 50}\t.\t+\t.\tgene_id "{GENES[i // 2]}"; transcript_id "{name}";\n'
            for i, name in enumerate(names)
        )
    )
    count_files = files(tmp_path, write(names))
    table, _ = sample_count_files.read(count_files, "sheet.tsv", "expected_counts", str(gtf))
    assert list(table.index) == GENES[:4] and list(table["s0"]) == list(COUNTS.reshape(4, 2).sum(axis=1))
    with pytest.raises(InputProblem, match=r"row 2, column counts_file.*set reference\.gtf"):
        sample_count_files.read(count_files, "sheet.tsv", "expected_counts")


def test_all_that_is_wrong_is_said_at_once_with_its_row(tmp_path):
    count_files = files(
        tmp_path,
        htseq(),
        star(),
        htseq().replace(GENES[3], "other"),
        "a,b\n1,2\n",
        salmon(),
        star(forward=0, reverse=COUNTS)[:-4],
    )
    count_files += [
        sample_count_files.CountFile("gone", str(tmp_path / "gone"), 8),
        sample_count_files.CountFile("again", count_files[0].path, 9),
    ]
    with pytest.raises(InputProblem) as raised:
        sample_count_files.read(count_files, "sheet.tsv")
    for row, why in {
        3: "is of STAR",
        4: "other genes",
        5: "is not what",
        6: "expected_counts",
        8: "cannot be read",
    }.items():
        assert any(
            f"row {row}, column counts_file" in line and why in line for line in str(raised.value).split("\n")
        )
    assert "rows 2, 9, column counts_file: the same file twice" in str(raised.value)


def test_a_library_between_stranded_and_unstranded_is_not_guessed(tmp_path):
    with pytest.raises(InputProblem, match="set strandedness"):
        sample_count_files.read(files(tmp_path, star(forward=int(COUNTS.mean() * 0.4))), "sheet.tsv")


def checked(folder, header, *rows, **config):
    """(config, samples, problems) of a sheet in `folder`."""
    (folder / "sheet.tsv").write_text(lines(header, *rows))
    settings = {"samples": "sheet.tsv", "results": str(folder / "out"), "design": {"target": "condition"}}
    return preflight.check(settings | config, [folder], thorough=True)


def test_a_sheet_with_count_files_needs_neither_reads_nor_a_matrix(tmp_path):
    named = files(tmp_path, *[htseq()] * 12)
    rows = [[file.sample, "ab"[place % 2], f"{place}.txt"] for place, file in enumerate(named)]
    config, samples, problems = checked(tmp_path, ["sample", "condition", "counts_file"], *rows)
    assert not problems and sample_count_files.are_given(config)
    assert [one.counts_file for one in samples.values()] == [file.path for file in named]
    rows[3][2], rows[5][2] = "", "gone.txt"
    _, _, problems = checked(tmp_path, ["sample", "condition", "counts_file"], *rows)
    assert "row 5, column counts_file: is empty" in problems[0]
    assert "row 7, column counts_file" in problems[1] and "No such file" in problems[1]
    assert len(problems) == 2


def test_reads_and_count_files_in_one_sheet_are_not_chosen_between(tmp_path):
    header = ["sample", "condition", "counts_file", "fastq_1"]
    _, _, problems = checked(tmp_path, header, ["s1", "a", "1.txt", "a.fastq"])
    assert any("Remove the other" in problem for problem in problems)
