"""The bundle: the artefacts of the split `full` with a manifest, enough to serve new samples anywhere."""

import hashlib
import json
import shutil
from importlib import metadata
from pathlib import Path

import numpy as np

from rna2model import __version__, batch, features, imputation, models, normalization
from rna2model.errors import InputProblem

FORMAT = 1
FEATURES = "features.safetensors"  # only where models see other than genes
LIBRARIES = ("numpy", "scikit-learn", "torch", "safetensors", "skops")
FAR_MIXTURE = 0.3  # share of predictions that would have to change to give the classes of training
MAX_MISSING_PCT = 20  # genes a new sample may lack before its prediction is refused


def assemble(folder, normalizer, batch_model, model, facts, features=None):
    """Copy the artefacts into `folder` and describe them in manifest.json; returns the manifest."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(normalizer, folder / "normalizer.safetensors")
    shutil.copyfile(batch_model, folder / "batch_model.safetensors")
    (folder / FEATURES).unlink(missing_ok=True)
    if features:
        shutil.copyfile(features, folder / FEATURES)
    shutil.rmtree(folder / "model", ignore_errors=True)
    shutil.copytree(model, folder / "model", ignore=shutil.ignore_patterns(".*"))
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in OWN)
    manifest = {
        "format": FORMAT,
        "rna2model": __version__,
        **facts,
        "libraries": {name: _version(name) for name in LIBRARIES},
        "files": {path.relative_to(folder).as_posix(): _sha256(path) for path in files},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


OWN = {"manifest.json", "MODEL_CARD.md"}


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


class Bundle:
    """A fitted pipeline that serves new samples: normalizer, batch model and model of all training samples."""

    def __init__(self, folder):
        folder = Path(folder)
        try:
            self.manifest = json.loads((folder / "manifest.json").read_text())
        except (OSError, ValueError) as error:
            raise InputProblem(f"{folder} is not a bundle: manifest.json cannot be read ({error}).") from None
        if self.manifest.get("format") != FORMAT:
            raise InputProblem(
                f"{folder} has bundle format {self.manifest.get('format')}, this version reads {FORMAT}."
            )
        for name, digest in self.manifest["files"].items():
            path = folder / name
            if (
                not path.resolve().is_relative_to(folder.resolve())
                or not path.is_file()
                or _sha256(path) != digest
            ):
                raise InputProblem(
                    f"{path} is missing or differs from the bundle's manifest; get the bundle again."
                )
        self.normalizer = normalization.load(folder / "normalizer.safetensors")
        self.batch_model = batch.load(folder / "batch_model.safetensors")
        self.features = features.load(folder / FEATURES) if FEATURES in self.manifest["files"] else None
        self.model = models.load(folder / "model")

    def expression(self, counts, genes, batches, unseen="uncorrected"):
        """((n, n_kept) log2 expression, genes missing: list) of samples given as counts (n, len(genes))."""
        aligned, missing = self.normalizer.align(counts, genes)
        share = self._share(missing)
        if share > MAX_MISSING_PCT:
            raise InputProblem(
                f"{len(missing)} of the {self.normalizer.kept_.sum()} genes the model uses are missing"
                f" ({share:.0f} %, at most {MAX_MISSING_PCT} %; first: {', '.join(missing[:5])});"
                " were the samples counted with another annotation?"
            )
        return self.batch_model.transform(self.normalizer.transform(aligned), batches, unseen=unseen), missing

    @property
    def covariates(self):
        """Sheet columns that the model needs beside the counts."""
        return list(self.features.covariates.kinds) if self.features and self.features.covariates else []

    def predict(self, samples, counts, genes, batches, unseen="uncorrected", cells=None):
        """Table of predictions with `flags` (text, empty when nothing is to be said).

        cells : {sheet column: (n,) str} of `covariates`; may be left out where there are none
        """
        from rna2model import predictions

        batches = np.asarray(batches, dtype=object)
        expression, missing = self.expression(counts, genes, batches, unseen)
        unknown = [""] * len(samples)
        if self.features:
            expression = self.features.transform(expression, cells)
            unknown = self.features.flags(cells, samples)
        table = predictions.table(samples, self.model, expression, self.manifest.get("landmarks", {}))
        adapted = self.batch_model.adapts(batches) & (unseen == "adapt")
        table["flags"] = [
            "; ".join(filter(None, [*self._flags(known, how, name, missing, gaps), mixture, new]))
            for known, how, name, gaps, mixture, new in zip(
                self.batch_model.is_known(batches),
                adapted,
                batches,
                self._gaps(counts),
                self._mixtures(table, batches, adapted),
                unknown,
                strict=True,
            )
        ]
        return table

    def _mixtures(self, table, batches, adapted):
        """A flag for samples of an adapted batch whose predicted classes are far from those of training: what was taken
        for a batch effect may be theirs."""
        flags = dict.fromkeys(batches, "")
        trained = self.manifest["classes"] if adapted.any() and self.model.task == "classification" else {}
        for name in set(batches[adapted]):
            predicted = table["predicted"][(batches == name)].value_counts(normalize=True)
            away = sum(abs(predicted.get(c, 0) - n / sum(trained.values())) for c, n in trained.items()) / 2
            if away > FAR_MIXTURE:
                flags[name] = (
                    f"the predicted classes of batch {name!r} are far from those of training ({100 * away:.0f} % would have"
                    " to change): adapting may have removed real differences"
                )
        return [flags[name] for name in batches]

    def _share(self, missing):
        """Percentage of the genes that a sample must have which `missing` are."""
        return 100 * len(missing) / np.count_nonzero(self.normalizer.kept_)

    def _gaps(self, values):
        """(m,) percentage of each sample's values that are to be imputed."""
        if self.normalizer.missing == "refuse":
            return np.zeros(len(values))
        return imputation.missing_share(values)

    def _flags(self, known_batch, adapted, batch_name, missing, gaps):
        if self.batch_model.method != "none" and not known_batch:
            how = "adapted by its own samples" if adapted else "not batch-corrected"
            yield f"batch {batch_name!r} was not in training: {how}"
        if missing:
            yield f"{self._share(missing):.1f} % of the model's genes missing: training mean used"
        if gaps:
            yield f"{gaps:.1f} % of its values are missing and imputed"
