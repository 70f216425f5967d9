"""What the cohort collects of its samples: counts, cells of the sheet, and the features of a split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from rna2model.inputs.sheet import Sample


class CohortInputs:
    """Inputs and parameters of the rules that see all samples.

    config : the checked config; samples : {name: Sample}
    design_columns : columns of the sheet that training may read
    as_input : function of a path that the user named, which returns it as an input
    from_files : whether each sample's counts are in a file of its own; has_features : whether models see other than genes
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        samples: Mapping[str, Sample],
        design_columns: Collection[str],
        as_input: Callable[[str], Any],
        from_files: bool,
        has_features: bool,
    ) -> None:
        self.config, self.samples, self.results = config, samples, config["results"]
        self.design_columns, self.as_input = design_columns, as_input
        self.from_files, self.has_features = from_files, has_features

    def fitted_features(self, split: str) -> str | list[str]:
        """The fitted features of a split, if models use gene sets or covariates."""
        return f"{self.results}/splits/{split}/features.safetensors" if self.has_features else []

    def metadata(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """{sample: {column: cell}} of the sheet."""
        return {name: self.samples[name].metadata for name in names}

    def design_cells(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """The cells that training may read, so that a note changed in another column does not retrain a model."""
        first = self.samples[names[0]].metadata if names else {}
        columns = [column for column in first if column in self.design_columns]
        return {name: {column: self.samples[name].metadata[column] for column in columns} for name in names}

    def counts_of(self, names: Iterable[str]) -> Any:
        """Input: the matrix, or the files of the samples."""
        if self.from_files:
            return [self.samples[name].counts_file for name in names]
        return self.as_input(self.config["counts"])

    def files_of(self, names: Iterable[str]) -> dict[str, tuple[str | None, str]]:
        """{sample: (count file, strandedness)} where the sheet names them."""
        samples = {name: self.samples[name] for name in names if self.from_files}
        return {name: (sample.counts_file, sample.strandedness) for name, sample in samples.items()}
