"""Faults of a bundle and of what it is asked to predict. `inject` gets a Served: a bundle's folder and new samples."""

import hashlib
import json
import os
import pickle

import numpy as np

from rna2model.core import artefact
from rna2model.serving import manifest
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


def marker_genes_gone(served):
    served.genes, served.counts = served.genes[8:], served.counts[:, 8:]


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


def array(name, key, change):
    """Change one array of an artefact, with the hash of its file."""

    def inject(served):
        arrays, settings = artefact.read(served.folder / name)
        artefact.write(served.folder / "changed", {**arrays, key: change(arrays[key])}, settings)
        content = (served.folder / "changed").read_bytes()
        (served.folder / "changed").unlink()
        served.replace(name, content)

    return inject


def strange_genes(served):
    served.genes = [f"other{i}" for i in range(len(served.genes))]


def no_batch(served):
    served.batches = np.full(len(served.batches), "", dtype=object)


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
    Case("truncated panel, hash renewed", FILE, shorter("panel.safetensors", hashed=True), REFUSED, "is not a readable"),
    Case("weights gone", FILE, gone(WEIGHTS), REFUSED, "is missing or differs"),
    Case("normalizer in place of the batch model", FILE, lambda s: s.replace("batch_model.safetensors", (s.folder / "normalizer.safetensors").read_bytes()), REFUSED, "batch_model.safetensors holds a"),
    Case("pickle as weights", MODEL, pickled(WEIGHTS), REFUSED, "is not a readable"),
    Case("pickle as normalizer", MODEL, pickled("normalizer.safetensors"), REFUSED, "is not a readable"),
    Case("pickle as model description", MODEL, pickled("model/model.json"), REFUSED, "is not a readable model description"),
    Case("another class as model", MODEL, described(name="os:system"), REFUSED, "is not a model for"),
    Case("another task", MODEL, described(task="sorcery"), REFUSED, "is not a model for"),
    Case("another annotation", NEW, other_annotation, REFUSED, "counted with another annotation"),
    Case("a few genes missing", NEW, few_genes_gone, NOTED, "of the model's genes missing"),
    Case("the genes that carry the model missing", NEW, marker_genes_gone, NOTED, "not predicted"),
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
    Case("manifest nested without end", MANIFEST, lambda s: (s.folder / "manifest.json").write_text("[" * 99_999), REFUSED, "is not a bundle"),
    Case("manifest in another encoding", MANIFEST, lambda s: (s.folder / "manifest.json").write_bytes(b'{"a": "\xe9"}'), REFUSED, "is not a bundle"),
    Case("manifest a folder", MANIFEST, lambda s: (gone("manifest.json")(s), (s.folder / "manifest.json").mkdir()), REFUSED, "is not a bundle"),
    Case("a folder instead of weights", FILE, lambda s: (gone(WEIGHTS)(s), (s.folder / WEIGHTS).mkdir()), REFUSED, "is missing or differs"),
    Case("a file more in the model", MODEL, lambda s: (s.folder / "model/extra.py").write_text("import os"), REFUSED, "is not in the bundle's manifest"),
    Case("a link to itself in the model", MODEL, lambda s: (s.folder / "model/again").symlink_to("again"), ACCEPTED),
    Case("bundle that may only be read", FILE, lambda s: [path.chmod(0o555 if path.is_dir() else 0o444) for path in [s.folder, *s.folder.rglob("*")]], ACCEPTED),
    Case("weights NaN", FILE, array(WEIGHTS, "weights", lambda v: v * np.nan), REFUSED, "weights holds NaN"),
    Case("weights infinite", FILE, array(WEIGHTS, "weights", lambda v: v * np.inf), REFUSED, "weights holds NaN or infinity"),
    Case("normalizer NaN", FILE, array("normalizer.safetensors", "reference_", lambda v: v * np.nan), REFUSED, "reference_ holds NaN"),
    Case("weights of fewer genes", FILE, array(WEIGHTS, "weights", lambda v: v[:, :-1]), REFUSED, "is not a readable bundle"),
    Case("weights of fewer classes", FILE, array(WEIGHTS, "weights", lambda v: v[:-1]), REFUSED, "is not a readable bundle"),
    Case("normalizer of fewer genes", FILE, array("normalizer.safetensors", "kept_", lambda v: v[:-1]), REFUSED, "is not a readable bundle"),
    Case("batch model of fewer genes", FILE, array("batch_model.safetensors", "mean_", lambda v: v[:-1]), REFUSED, "is not a readable bundle"),
    Case("batch model of fewer batches", FILE, array("batch_model.safetensors", "shift_", lambda v: v[:-1]), REFUSED, "is not a readable bundle"),
    Case("model of three classes", MODEL, described(classes=["a", "b", "c"]), REFUSED, "is not a readable bundle"),
    Case("model without classes", MODEL, described(classes=None), REFUSED, "is not a readable bundle"),
    Case("a regression as classification", MODEL, described(task="regression"), REFUSED, "is not a model for regression"),
    Case("model description a list", MODEL, lambda s: s.replace("model/model.json", b"[1]"), REFUSED, "is not a readable model description"),
    Case("model description nested without end", MODEL, lambda s: s.replace("model/model.json", b"[" * 99_999), REFUSED, "is not a readable model description"),
    Case("no gene of the model", NEW, strange_genes, REFUSED, "were the samples counted with another annotation?"),
    Case("batch not given", NEW, no_batch, NOTED, "its batch is not given"),
]  # fmt: skip
