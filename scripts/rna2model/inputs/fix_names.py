"""Write a sheet anew with the names that the columns of a matrix have, where each name fits one column only."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from rna2model.cohort import count_matrix_file, sample_names
from rna2model.core.errors import InputProblem
from rna2model.inputs import sheet_text


def write(sheet: str | Path, counts: str | Path, out: str | Path | None = None) -> tuple[str, bool]:
    """Write `<sheet>.fixed.<ending>` (in the folder `out`, or beside the sheet); return (text, whether every sample has a column).

    Nothing is written where no name needs to change. InputProblem where a file cannot be read, or the new sheet exists.
    """
    sheet = Path(sheet)
    rows, columns, problems = sheet_text.read(sheet)
    if problems or "sample" not in columns:
        raise InputProblem("\n".join(problems) or f"{sheet} row 1: column 'sample' is missing")
    names = list(dict.fromkeys(row["sample"] for _, row in rows))
    table, _ = count_matrix_file.read(counts, "log", names)
    column_of_name, _, suggested = sample_names.match(list(table.columns), names, table.attrs["titles"])
    new = {name: sample_names.for_sheet(column) for name, (column, _) in suggested.items()}
    new = {name: fixed for name, fixed in new.items() if fixed and fixed not in column_of_name}
    left = [name for name in names if name not in column_of_name and name not in new]
    lines = [f"{name} is now {fixed} ({suggested[name][1]})" for name, fixed in new.items()]
    lines += [f"no column for {name}; nothing fits it alone" for name in left]
    if not new:
        return "\n".join([*lines, "no name was changed, so nothing was written"]), not left
    path = (Path(out) if out else sheet.parent) / f"{sheet.stem}.fixed{sheet.suffix}"
    text = io.StringIO()
    table = csv.writer(text, delimiter="," if sheet.suffix.lower() == ".csv" else "\t", lineterminator="\n")
    table.writerow(columns)
    for _, row in rows:
        table.writerow([new.get(row[c], row[c]) if c == "sample" else row[c] for c in columns])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text.getvalue())
    except FileExistsError:
        raise InputProblem(
            f"{path} exists and stays as it is; remove it, or name another folder with OUT="
        ) from None
    except OSError as error:
        raise InputProblem(
            f"{path}: cannot be written ({error.strerror}); name another folder with OUT="
        ) from None
    return "\n".join(
        [*lines, f"written: {path}", f"next: look at the names, and set samples: {path.name}"]
    ), not left
