"""Faults of a bundle and of what it is asked to predict. `inject` gets a Served: a bundle's folder and new samples."""

import hashlib
import json
import os
import pickle

import numpy as np

from rna2model import manifest
from tests.faults.case import ACCEPTED, NOTED, REFUSED, Case


class Malicious:
    """What a pickle can do when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


class Served:
    def __init__(self, folder, counts, genes, batches, canary):
        self.folder, self.counts, self.genes, self.batches, self.canary = (
            folder,
            counts,
            genes,
            batches,
            canary,
        )
        self.samples, self.unseen = [f"n{i}" for i in range(len(counts))], "uncorrected"

    def manifest(self, change, renewed=True):
        """Edit the manifest, by default with its own hash: somebody who edits a bundle knows of it."""
        path = self.folder / "manifest.json"
        content = json.loads(path.read_text())
        content = change(content) or content
        if renewed:
            content["manifest_sha256"] = manifest.own_sha256(content)
        path.write_text(json.dumps(content))

    def replace(self, name, content):
        """Replace a file and write its new hash to the manifest."""
        (self.folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        self.manifest(lambda manifest: manifest["files"].update({name: digest}))


def shorter(name, hashed):
    def inject(served):
        content = (served.folder / name).read_bytes()[:-20]
        served.replace(name, content) if hashed else (served.folder / name).write_bytes(content)

    return inject


def pickled(name):
    return lambda served: served.replace(name, pickle.dumps(Malicious(served.canary)))


def edited(change, renewed=True):
    return lambda served: served.manifest(change, renewed)


def listed(path):
    return edited(lambda content: content["files"].update({path: "0" * 64}))


def outside(served):
    secret = served.canary.with_name("secret")
    secret.write_text("x")
    name = "model/weights.safetensors"
    digest = hashlib.sha256(b"x").hexdigest()
    (served.folder / name).unlink()
    (served.folder / name).symlink_to(secret)
    served.manifest(lambda content: content["files"].update({name: digest}))


def described(**changes):
    """Edit model.json, with its hash."""

    def inject(served):
        content = json.loads((served.folder / "model/model.json").read_text())
        served.replace("model/model.json", json.dumps(content | changes).encode())

    return inject


def gone(name):
    return lambda served: (served.folder / name).unlink()


def counts(change):
    def inject(served):
        served.counts = change(served.counts.copy())

    return inject


def cell(value):
    def change(table):
        table[1, 4] = value
        return table

    return counts(change)


def other_annotation(served):
    served.genes = [f"ENSG{i:011}" for i in range(len(served.genes))]


def few_genes_gone(served):
    served.genes, served.counts = served.genes[4:], served.counts[:, 4:]


def reordered(served):
    order = np.random.default_rng(1).permutation(len(served.genes))
    served.genes, served.counts = [served.genes[i] for i in order], served.counts[:, order]


def more_genes(served):
    served.genes = [*served.genes, "extra"]
    served.counts = np.hstack([served.counts, np.full((len(served.counts), 1), 77.0)])


def gene_twice(served):
    served.genes = [*served.genes[:-1], served.genes[0]]


def new_batch(unseen):
    def inject(served):
        served.unseen = unseen
        served.batches = np.array(["elsewhere", *served.batches[1:]], dtype=object)

    return inject


FILE, MANIFEST, MODEL, NEW = "bundle, a file", "bundle, manifest.json", "bundle, model/", "new samples"
WEIGHTS = "model/weights.safetensors"
CASES = [
    Case("no bundle at all", MANIFEST, gone("manifest.json"), REFUSED, "is not a bundle"),
    Case("manifest cut short", MANIFEST, lambda s: (s.folder / "manifest.json").write_text("{"), REFUSED, "is not a bundle"),
    Case("manifest a list", MANIFEST, lambda s: (s.folder / "manifest.json").write_text("[]"), REFUSED, "is not a bundle"),
    Case("manifest without files", MANIFEST, edited(lambda m: {k: v for k, v in m.items() if k != "files"}), REFUSED, "does not list"),
    Case("manifest edited by hand", MANIFEST, edited(lambda m: m.update(model="mlp"), renewed=False), REFUSED, "was changed after the bundle was made"),
    Case("bundle of another format", MANIFEST, edited(lambda m: m.update(format=99)), REFUSED, "bundle format 99"),
    Case("path out of the bundle", MANIFEST, listed("../../etc/passwd"), REFUSED, "lies outside of the bundle"),
    Case("absolute path", MANIFEST, listed("/etc/passwd"), REFUSED, "lies outside of the bundle"),
    Case("link out of the bundle", FILE, outside, REFUSED, "lies outside of the bundle"),
    Case("truncated weights", FILE, shorter(WEIGHTS, hashed=False), REFUSED, "differs from the bundle's manifest"),
    Case("truncated weights, hash renewed", FILE, shorter(WEIGHTS, hashed=True), REFUSED, "is not a readable"),
    Case("truncated normalizer, hash renewed", FILE, shorter("normalizer.safetensors", hashed=True), REFUSED, "is not a readable"),
    Case("weights gone", FILE, gone(WEIGHTS), REFUSED, "is missing or differs"),
    Case("normalizer in place of the batch model", FILE, lambda s: s.replace("batch_model.safetensors", (s.folder / "normalizer.safetensors").read_bytes()), REFUSED, "batch_model.safetensors holds a"),
    Case("pickle as weights", MODEL, pickled(WEIGHTS), REFUSED, "is not a readable"),
    Case("pickle as normalizer", MODEL, pickled("normalizer.safetensors"), REFUSED, "is not a readable"),
    Case("pickle as model description", MODEL, pickled("model/model.json"), REFUSED, "is not a readable model description"),
    Case("another class as model", MODEL, described(name="os:system"), REFUSED, "is not a model for"),
    Case("another task", MODEL, described(task="sorcery"), REFUSED, "is not a model for"),
    Case("another annotation", NEW, other_annotation, REFUSED, "counted with another annotation"),
    Case("a few genes missing", NEW, few_genes_gone, NOTED, "of the model's genes missing"),
    Case("genes in another order", NEW, reordered, ACCEPTED),
    Case("more genes", NEW, more_genes, ACCEPTED),
    Case("a gene twice", NEW, gene_twice, REFUSED, "twice"),
    Case("unseen batch", NEW, new_batch("uncorrected"), NOTED, "batch 'elsewhere' was not in training"),
    Case("unseen batch, refused", NEW, new_batch("refuse"), REFUSED, "'elsewhere' was not in training"),
    Case("negative count", NEW, cell(-1), REFUSED, "negative"),
    Case("NaN among the counts", NEW, cell(np.nan), REFUSED, "row 2"),
    Case("infinite count", NEW, cell(np.inf), REFUSED, "row 2"),
    Case("sample without a count", NEW, counts(lambda t: t * (np.arange(len(t)) != 1)[:, None]), REFUSED, "row 2"),
    Case("fewer columns than genes", NEW, counts(lambda t: t[:, :-1]), REFUSED, "79 columns for 80 genes"),
]  # fmt: skip
