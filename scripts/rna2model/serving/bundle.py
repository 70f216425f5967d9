"""The bundle: the artefacts of the split `full` with a manifest, enough to serve new samples anywhere."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model import __version__
from rna2model.cohort import units
from rna2model.core import gene_ids
from rna2model.core.errors import InputProblem
from rna2model.evaluation import conformal
from rna2model.expression.features import imputation
from rna2model.models.base import HELD_OUT
from rna2model.reference import fingerprint
from rna2model.serving import bundle_parts, flags, reference_panel, signature
from rna2model.serving import manifest as manifests
from rna2model.serving import out_of_distribution as ood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

OOD = "ood.safetensors"
PANEL = "panel.safetensors"
LIBRARIES = ("numpy", "scikit-learn", "torch", "safetensors", "skops")
MAX_MISSING_PCT = 20  # genes a new sample may lack before its prediction is refused


def assemble(
    folder: str | Path,
    normalizer: str | Path,
    batch_model: str | Path,
    model: str | Path,
    facts: Mapping[str, Any],
    features: str | Path | None = None,
    ood: str | Path | None = None,
    kept: reference_panel.Panel | None = None,
    formula: tuple[pd.DataFrame, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Copy the artefacts (paths) into `folder` and describe them in manifest.json; returns the manifest.

    kept : the reference_panel.Panel of the training samples, or None; formula : of signature.make
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(normalizer, folder / "normalizer.safetensors")
    shutil.copyfile(batch_model, folder / "batch_model.safetensors")
    for name, artefact in ((bundle_parts.FEATURES, features), (OOD, ood)):
        (folder / name).unlink(missing_ok=True)
        if artefact:
            shutil.copyfile(artefact, folder / name)
    (folder / PANEL).unlink(missing_ok=True)
    if kept:
        kept.save(folder / PANEL)
    shutil.rmtree(folder / "model", ignore_errors=True)
    shutil.copytree(model, folder / "model", ignore=shutil.ignore_patterns(".*", HELD_OUT))
    signature.write(folder, formula)
    versions = {name: flags.version(name) for name in LIBRARIES}
    return manifests.write(folder, {"rna2model": __version__, **facts, "libraries": versions})


class Bundle:
    """A fitted pipeline that serves new samples: preprocessing and model of all training samples.

    allow_code : whether Python code that the bundle carries, of a model that a user brought, may be imported
    """

    def __init__(self, folder: str | Path, allow_code: bool = False) -> None:
        self.folder = folder = Path(folder)
        self.manifest, self.preprocessing, self.model = bundle_parts.read(folder, allow_code)
        listed = self.manifest["files"]
        with bundle_parts.readable(folder):
            self.ood = ood.load(folder / OOD) if OOD in listed else None
            self.panel = reference_panel.load(folder / PANEL) if PANEL in listed else None
            self.sets = conformal.read(self.manifest.get("conformal"))
            self._try_out()

    def _try_out(self):
        """Predict made-up samples: ValueError (or numpy's error) if the parts do not fit together or hold no numbers."""
        from rna2model.evaluation import predictions

        if self.panel:
            self.panel.check(len(self.preprocessing.normalizer.genes_), self.covariates)
        batches = np.array(self.preprocessing.batch_model.batches_, dtype=object)
        values = np.tile(np.linspace(1, 15, len(self.preprocessing.normalizer.gene_ids)), (len(batches), 1))
        try:
            empty = dict.fromkeys(self.covariates, [""] * len(batches))
            seen = self.preprocessing.transform(values, batches, empty)
            table = predictions.table(batches, self.model, seen, self.manifest.get("landmarks", {}))
        except InputProblem:
            return  # the bundle refuses the made-up samples, which says nothing about its parts
        if not np.isfinite(table.select_dtypes("number").to_numpy()).all():
            raise ValueError("its predictions are not finite")

    def expression(
        self,
        counts: NDArray[np.float64],
        genes: Sequence[str],
        batches: NDArray[Any],
        unseen: str = "uncorrected",
    ) -> tuple[NDArray[np.float64], list[str]]:
        """((n, n_kept) log2 expression, genes of the model that are missing: list) of samples given as counts (n, len(genes))."""
        aligned, absent = self.preprocessing.normalizer.align(counts, self._as_trained(genes))
        missing = [gene for gene in absent if gene in self._needed]
        share = self._share(missing)
        if share > MAX_MISSING_PCT:
            raise InputProblem(
                f"{len(missing)} of the {len(self._needed)} genes the model uses are missing"
                f" ({share:.0f} %, at most {MAX_MISSING_PCT} %; first: {', '.join(missing[:5])});"
                " were the samples counted with another annotation?"
            )
        given_out = self.preprocessing.expression(aligned, batches, unseen=unseen)
        if absent and self.panel:  # align filled in mean shares; the mean of the logarithms is exact
            gone = np.isin(self.preprocessing.normalizer.genes_, absent)
            given_out[:, gone] = self.panel.mean_[gone]
        return given_out, missing

    def _as_trained(self, genes):
        return gene_ids.as_known(genes, self.preprocessing.normalizer.gene_ids)

    @property
    def covariates(self) -> list[str]:
        """Sheet columns that the model needs beside the counts."""
        return self.preprocessing.covariates

    def check_counting(self, counted: Mapping[str, Any]) -> str:
        """Refuse samples that were counted otherwise than those of training, saying how; returns a flag for all of them.

        counted : what describe_counting wrote of them: unit, counting, reference, rrna_sha256
        """
        unit = self.manifest.get("counts_unit", "counts")
        if units.of_cohort(counted["unit"]) != unit:
            raise InputProblem(
                f"{self.folder} was trained on {unit}, these samples are given as {counted['unit']}; give the same"
                " (counts_unit)."
            )
        made = self.manifest.get("counting")
        if made and counted["counting"]:
            if differences := fingerprint.counting_differences(self.manifest, counted):
                raise InputProblem(
                    f"the samples were not made as those that trained {self.folder}:\n  "
                    + "\n  ".join(differences)
                    + "\nCount them as the bundle says, or train a bundle on samples counted like these."
                )
            return ""
        if made:
            return "counted elsewhere: reference and counting could not be compared with those of training"
        if counted["counting"] is not None:
            return "training does not say how its matrix was counted: compare by yourself"
        return ""

    def predict(
        self,
        samples: Sequence[str],
        counts: NDArray[np.float64],
        genes: Sequence[str],
        batches: NDArray[Any],
        unseen: str = "uncorrected",
        cells: Mapping[str, NDArray[Any]] | None = None,
        notes: Sequence[Sequence[str]] | None = None,
    ) -> pd.DataFrame:
        """Table of predictions with prediction sets (conformal.py), `batch_policy` (what was done about the batch), `ood_score` (1: as far from the training
        samples as any that is like them) and `flags` (text, empty when nothing is to be said).

        cells : {sheet column: (n,) str} of `covariates`; may be left out where there are none
        notes : for each sample a list of further flags, or None
        """
        from rna2model.evaluation import predictions
        from rna2model.serving import incomplete_samples

        batches = np.asarray(batches, dtype=object)
        expression, missing = self.expression(counts, genes, batches, unseen)
        scores = self.ood.score(expression) if self.ood else np.full(len(samples), np.nan)
        seen = self.preprocessing.add_features(expression, cells)
        unknown = self.preprocessing.flags(cells or {}, samples)
        table = predictions.table(samples, self.model, seen, self.manifest.get("landmarks", {}))
        table, lacking = incomplete_samples.complete(
            table, self, expression, cells, self._lacking(counts, genes, missing, cells)
        )
        table = table.assign(**conformal.columns(self.sets, table, self.model.task))
        batch_model = self.preprocessing.batch_model
        known, rule = batch_model.is_known(batches), batch_model.rule(unseen)
        adapted = batch_model.adapts(batches) & (rule == "adapt")
        table["batch_policy"] = np.select(
            [
                np.full(len(samples), batch_model.of_one_sample),
                np.full(len(samples), not batch_model.corrects_),
                known,
                adapted,
            ],
            ["ranked", "no correction", "corrected", "adapted"],
            "uncorrected",
        )
        if self.ood:
            table["ood_score"] = np.round(scores, 4)
        trained = self.manifest["classes"] if adapted.any() and self.model.task == "classification" else {}
        gaps, mixtures = self._gaps(counts), flags.of_class_mixtures(trained, table, batches, adapted)
        depths = flags.of_library_sizes(self.manifest, counts, int(self.preprocessing.normalizer.kept_.sum()))
        table["flags"] = [
            "; ".join(
                filter(
                    None,
                    [
                        *self._flags(missing, gaps[i], scores[i]),
                        "" if known[i] else self._of_new_batch(batches[i], adapted[i], rule),
                        lacking[i],
                        depths[i],
                        mixtures[i],
                        unknown[i],
                        *(notes[i] if notes is not None else ()),
                    ],
                )
            )
            for i in range(len(samples))
        ]
        return table

    def _share(self, missing):
        """Percentage of the genes that a sample must have which `missing` are."""
        return 100 * len(missing) / len(self._needed)

    @functools.cached_property
    def _needed(self):
        """Genes that a sample must have: all that are normalised together, or those of a model of few genes within a sample."""
        normalizer, used = self.preprocessing.normalizer, self.model.used()
        if self.preprocessing.within_sample and used is not None:
            return {normalizer.genes_[column] for column in used}
        return {normalizer.gene_ids[place] for place in np.flatnonzero(normalizer.kept_)}

    def _lacking(self, counts, genes, missing, cells):
        """The reference_panel.Missing of samples: genes that they do not have, and values to be imputed."""
        absent = np.isin(self.preprocessing.normalizer.genes_, missing)
        gone = np.broadcast_to(absent, (len(counts), len(absent)))
        if self.preprocessing.normalizer.missing != "refuse":
            aligned = self.preprocessing.normalizer.align(counts, self._as_trained(genes))[0]
            gone = gone | np.isnan(
                aligned[
                    :,
                    np.flatnonzero(self.preprocessing.normalizer.kept_)[
                        self.preprocessing.normalizer.chosen_
                    ],
                ]
            )
        return reference_panel.Missing.of(gone, cells)

    def _gaps(self, values):
        """(m,) percentage of missing values of each sample, which are imputed."""
        if self.preprocessing.normalizer.missing == "refuse":
            return np.zeros(len(values))
        return imputation.missing_share(values)

    def _of_new_batch(self, name, adapted, rule):
        """What is said of a sample whose batch training did not have."""
        model = self.preprocessing.batch_model
        if model.method == "none":
            return ""
        what = f"batch {name!r} was not in training" if name else "its batch is not given"
        if adapted:
            return f"{what}: adapted by its own samples"
        if model.of_one_sample:
            return f"{what}: ranks within the sample were used, which need none"
        few = rule == "adapt" and model.corrects_
        more = f", since fewer than {model.adapt_samples} samples of it are not adapted" if few else ""
        alone = (model.choice_ or {}).get("alone", {}).get("score") if few else None
        worth = (
            f" ({model.choice_['metric']} of such samples in training: {alone:.2f})"
            if alone is not None
            else ""
        )
        return f"{what}: not batch-corrected{more}{worth}"

    def _flags(self, missing, gaps, score):
        if score > 1:
            yield f"unlike the training samples (ood_score {score:.2f}, limit 1): do not rely on the prediction"
        if missing:
            yield f"{self._share(missing):.1f} % of the model's genes missing: training mean used"
        if gaps:
            yield f"{gaps:.1f} % of its values are missing and imputed"

    def seen(
        self,
        samples: Sequence[str],
        counts: NDArray[np.float64],
        genes: Sequence[str],
        groups: Sequence[str] | None = None,
    ) -> dict[str, str]:
        """{sample: why} of samples that training knew by name, group, or counts (n, len(genes))."""
        aligned, missing = self.preprocessing.normalizer.align(counts, self._as_trained(genes))
        return manifests.trained(self.manifest, samples, groups, None if missing else aligned)
