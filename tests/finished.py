"""Finished runs for tests of what people read: expression is simulated, everything after it comes from the library."""

import json

import numpy as np
import pandas as pd

from rna2model.cohort.outcome import SURVIVAL
from rna2model.evaluation import (
    calibration_bins,
    classification,
    conformal,
    decision_curve,
    operating_point,
    paired_differences,
    sample_size,
    smooth_calibration,
    subgroups,
)
from rna2model.evaluation.permutation import draws
from rna2model.explain import importance
from rna2model.explore import batch_diagnostics
from rna2model.inputs import config as configuration

DESIGN = {
    "classification": {"target": "condition"},
    "regression": {"target": "age", "task": "regression"},
    "survival": {"task": "survival", "time": "months", "event": "died"},
}
MODELS = {"classification": ["logistic_l2", "mlp"], "regression": ["ridge"], "survival": ["cox_ridge"]}


class Finished:
    """Folder and config of a run on `n` labelled and `new` other samples; write() writes its files."""

    def __init__(
        self, folder, task="classification", n=24, new=2, genes=120, classes=("case", "control"), **sheet
    ):
        self.folder, self.task, self.n, self.sheet = folder, task, n, sheet
        self.config, problems = configuration.complete(
            {
                "models": MODELS[task],
                "design": {**DESIGN[task], "batch": "batch", "group": "donor"},
                "expression": {"batch_correction": "combat"},
                "evaluation": {"learning_curve": [0.5], "subgroups": ["batch"]},
            }
        )
        assert not problems
        self.models = self.config["models"]
        rng = self.rng = np.random.default_rng(0)
        self.names = [f"s{i:04}" for i in range(n + new)]
        self.signal = np.arange(n + new) % len(classes) + rng.normal(0, 0.3, n + new)
        self.labels = np.array(classes)[np.arange(n) % len(classes)]
        self.classes = sorted(classes)
        self.batch = np.array(["b1", "b2"])[np.arange(n + new) // 2 % 2]
        self.X = rng.normal(8, 1, (n + new, genes))
        self.X[:, :10] += 1.5 * self.signal[:, None]
        self.X[:, 10:60] += (self.batch == "b2")[:, None]
        self.genes = [f"G{i:04}" for i in range(genes)]
        self.time, self.event = np.round(30 * np.exp(-self.signal[:n]), 3) + 0.1, rng.random(n) < 0.7
        self.split = np.array([f"r1f{i // 2 % 2 + 1}" for i in range(n)])

    def save(self, frame, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(path, sep="\t", index=False)

    def dump(self, value, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))

    def write(self):
        self._samples()
        self._exploration()
        self._models()
        self._genes()
        genes = {"n": len(self.genes), "sha256": "0"}
        libraries = {"numpy": "2.4.6", "torch": None}
        manifest = {"rna2model": "0.1.0", "counting": None, "counts_unit": "counts", "normalization": "tmm"}
        self.dump(
            {**manifest, "batch_correction": "combat", "genes": genes, "libraries": libraries},
            "bundle/manifest.json",
        )
        self.save(pd.DataFrame({"software": ["STAR"], "version": ["2.7.11b"]}), "versions.tsv")
        return self

    def _samples(self):
        n, names = self.n, self.names
        empty = [""] * (len(names) - n)
        table = pd.DataFrame({"sample": names, "status": "included", "reason": "", "reads": 1000})
        table = table.assign(mapped_pct=99.0, assigned_pct=80.5, strandedness="reverse", flags="")
        what = {"classification": {"condition": [*self.labels, *empty]}}
        what["regression"] = {"age": [*np.round(50 + 10 * self.signal[:n], 2), *empty]}
        what["survival"] = {"months": [*self.time, *empty], "died": [*self.event.astype(int), *empty]}
        table = table.assign(
            **what[self.task], batch=self.batch, donor=[f"d{i}" for i in range(len(names))], **self.sheet
        )
        table["weight"] = self.rng.normal(70, 9, len(names)).round(1)
        table.loc[len(table)] = {
            "sample": "lost",
            "status": "excluded",
            "reason": "too few reads: 3, minimum 9",
        }
        self.save(table.fillna(""), "samples.tsv")
        new = pd.DataFrame({"sample": names[n:], "predicted": "1", "ood_score": 1.2, "flags": "unlike all"})
        if len(new):
            self.save(new, "predictions.tsv")
        rows = [
            (s, 1, k, "test" if self.split[i] == f"r1f{k}" else "train")
            for i, s in enumerate(names[:n])
            for k in (1, 2)
        ]
        self.save(pd.DataFrame(rows, columns=["sample", "repeat", "fold", "role"]), "splits/manifest.tsv")

    def _exploration(self):
        corrected = self.X.copy()
        for name in set(self.batch):
            corrected[self.batch == name] -= corrected[self.batch == name].mean(axis=0)
        labels = np.array(
            [
                *(self.labels if self.task == "classification" else self.split),
                *[""] * (len(self.names) - self.n),
            ]
        )
        views, parts = {"normalized": self.X, "batch_corrected": corrected}, []
        for name, values in views.items():
            scores, _ = batch_diagnostics.components(values)
            part = pd.DataFrame({"view": name, "sample": self.names, "PC1": scores[:, 0], "pc1_pct": 40.1})
            parts.append(part.assign(PC2=scores[:, min(1, scores.shape[1] - 1)], pc2_pct=20.0))
        self.save(pd.concat(parts), "expression/pca.tsv")
        self.dump(batch_diagnostics.compare(views, self.batch, labels), "expression/diagnostics.json")
        matrix = pd.DataFrame(
            self.X.T.round(4), index=pd.Index(self.genes, name="gene_id"), columns=self.names
        )
        matrix.to_csv(self.folder / "expression/tmm.tsv.gz", sep="\t")
        p = self.rng.random(len(self.genes)) ** 4
        table = pd.DataFrame(
            {"contrast": "case_vs_control", "gene_id": self.genes, "symbol": "", "p": p, "padj": p * 3}
        )
        self.save(table.assign(log2_fold_change=self.rng.normal(0, 1, len(p))), "expression/differential.tsv")
        verdict = ["like the others"] * (len(self.names) - 1) + ["low correlation"]
        self.save(pd.DataFrame({"sample": self.names, "verdict": verdict}), "expression/outliers.tsv")

    def _predictions(self, model):
        n, noise = self.n, 0 if model == "dummy" else 1
        score = noise * (self.signal[:n] - self.signal[:n].mean()) + self.rng.normal(0, 0.2, n) * noise
        table = pd.DataFrame({"sample": self.names[:n], "split": self.split})
        if self.task == "regression":
            return table.assign(truth=50 + 10 * self.signal[:n], predicted=55 + 10 * score)
        if self.task == "survival":
            table = table.assign(time=self.time, event=self.event.astype(int), predicted=score)
            table["risk_group"] = np.where(score > np.median(score), "high", "low")
            return table.assign(**{f"survival_{t}": np.exp(-t / 30 * np.exp(score)) for t in (5, 20)})
        centres = np.array([self.classes.index(label) for label in self.labels])
        logits = noise * (
            np.eye(len(self.classes))[centres] * 1.5 + self.rng.normal(0, 1, (n, len(self.classes)))
        )
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        table = table.assign(
            truth=self.labels, predicted=np.array(self.classes)[probabilities.argmax(axis=1)]
        )
        return table.assign(**{f"prob_{name}": probabilities[:, k] for k, name in enumerate(self.classes)})

    def _models(self):
        tables = {model: self._predictions(model) for model in self.models}
        times = np.array(list(zip(self.time, self.event, strict=True)), dtype=SURVIVAL)
        training = {name: times[self.split != name] for name in set(self.split)}
        options = {"n_boot": 40, "task": self.task, "training": training}
        for model, table in tables.items():
            scores = classification.metrics(table, **options)
            smooth, curve = smooth_calibration.measure(table, self.task, n_boot=40)
            scores |= smooth
            self.save(curve, f"models/{model}/calibration_curve.tsv")
            if self.task == "classification":
                scores |= operating_point.metrics(table, n_boot=40)
                self.save(decision_curve.table(table, n_boot=40), f"models/{model}/decision_curve.tsv")
            test = draws.summary(np.array([0.9, *self.rng.normal(0.5, 0.05, 50)]), "auroc")
            if model == self.models[0]:
                scores["permutation"] = {key: value for key, value in test.items() if key != "values"}
                self.dump(test, f"models/{model}/permutation.json")
            if sets := conformal.fit(table, self.task):
                scores["conformal"] = sets
            self.save(table, f"models/{model}/predictions.tsv")
            self.save(calibration_bins.table(table, self.task), f"models/{model}/calibration.tsv")
            self.dump(scores, f"models/{model}/metrics.json")
        few = {model: tables[model] for model in (*self.models[:2], "dummy")}
        design = {"task": self.task}
        differences = paired_differences.differences(few, ["dummy"], design, n_boot=40, training=training)
        self.save(differences, "models/differences.tsv")
        cells = {"batch": dict(zip(self.names, self.batch, strict=True))}
        own = tables[self.models[0]]
        by_level = subgroups.table(own, cells, design, n_boot=40, training=training)
        self.save(by_level, f"models/{self.models[0]}/subgroups.tsv")
        y = {"classification": self.labels, "regression": 50 + 10 * self.signal[: self.n], "survival": times}
        adequacy = sample_size.table(y[self.task], self.task, {"genes": len(self.genes)})
        self.save(adequacy, "models/adequacy.tsv")
        metric = classification.SHOWN[self.task][0]
        curve = pd.DataFrame({"fraction": [0.5, 1], "n_train": [6, 12], "folds": 2, "metric": metric})
        self.save(
            curve.assign(estimate=[0.6, 0.7], lower=[0.5, 0.6], upper=[0.7, 0.8]),
            f"models/{self.models[0]}/learning_curve.tsv",
        )

    def _genes(self):
        shipped, place = (
            self.config["shipped_model"],
            {name: column for column, name in enumerate(self.genes)},
        )
        explained = self.classes if self.task == "classification" and len(self.classes) > 2 else ["target"]
        effects = [self.rng.normal(0, 0.1, (len(explained), len(self.genes))) for _ in range(3)]
        for effect in effects:
            effect[:, :10] += 1
        limit = np.full(effects[0].shape, 0.5)
        table = importance.table(
            self.genes, {}, explained, effects[0], [(place, e) for e in effects[1:]], limit
        )
        self.save(table, f"models/{shipped}/features.tsv")
        stability = {"note": None, "effect": "coefficient x sd of the feature"}
        stability |= importance.agreement([(self.genes, effect) for effect in effects[1:]])
        self.dump(stability, f"models/{shipped}/stability.json")
