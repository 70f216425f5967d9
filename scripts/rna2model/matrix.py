"""Read a genes x samples matrix that came from elsewhere, and refuse what is not what it is said to be."""

from rna2model import geneids, units
from rna2model.errors import InputProblem
from rna2model.matrixfile import read


def load(path, samples, unit, missing="refuse"):
    """(values (n_genes, n_samples) float64, genes, notes) of `samples` in the matrix at `path`: read, checked, rows of one
    gene added up, in the unit `units.of_cohort`. InputProblem says all that is wrong with it and where."""
    table = select(read(path, unit), samples, path)
    genes = list(table.index)
    values, wrong = units.check(table, unit, path, missing)
    unit = units.of_cohort(unit)
    wrong += geneids.problems(values, genes, unit, path)
    if wrong:
        raise InputProblem("\n".join(wrong))
    notes = units.notes(values, unit, path)
    values, genes, more = geneids.unify(values, genes, unit, path)
    return values, genes, notes + more


def select(table, samples, path):
    """The columns of `samples`, in their order; InputProblem naming those that are not there."""
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputProblem(f"{path}: sample column {twice[0]!r} is there twice.")
    missing = [name for name in samples if name not in table.columns]
    if missing:
        turned = sum(name in table.index for name in samples)
        if turned > len(samples) / 2:
            raise InputProblem(
                f"{path} is transposed: samples are its rows; give genes as rows, samples as columns."
            )
        raise InputProblem(
            f"{path} has no column for {len(missing)} samples of the sheet: {', '.join(missing[:10])}"
            f"{' …' if len(missing) > 10 else ''}; correct the names, or fill `exclude` for them in the sheet."
        )
    return table[list(samples)]
