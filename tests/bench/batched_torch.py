"""Many networks in one program: speed against training one by one, and on a GPU against what the GPU can do.

    python tests/bench/batched_torch.py [--samples 100] [--genes 20000] [--epochs 30] [--gpu-samples 100000]

On the CPU: 40 configurations of the mlp x 5 folds, all of a tuning, on one thread, so that the ratio is that of one core
(two cores halve the one by two threads, the other by two processes). "one by one" is the same loop with one network at a
time, "plain" is torch.nn with torch.optim.AdamW on the same rows. On a GPU, where there is one: the mlp on the whole
matrix, resident, as a share of the matrix product and of the copy that were measured in the same run.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import torch

from rna2model.cohort import splits
from rna2model.models import base
from rna2model.models.neural import data, inputs, loop, losses, mlp

SETTINGS = [
    {"learning_rate": rate, "weight_decay": decay, "dropout": dropout, "seed": 1}
    for rate, decay, dropout in itertools.product(
        [0.0003, 0.001, 0.003, 0.01, 0.03], [0.01, 0.1, 1.0, 3.0], [0.2, 0.5]
    )
]
HIDDEN = 64


def quiet(*_):
    pass


def folds_of(samples, genes):
    """(5 inner folds, labels (n,)) of noise with a signal, in the coordinates that the model trains in."""
    rng, y = np.random.default_rng(1), np.arange(samples) % 2
    X = rng.normal(size=(samples, genes))
    X[:, :50] += 0.5 * y[:, None]
    source, made = inputs.Source(X), []
    for number, (train, valid) in enumerate(splits.inner(y, None, 5, 1)):
        weights = np.zeros((3, samples))
        weights[0, train], weights[1, valid] = (
            base.balanced_weights(y[train]),
            base.balanced_weights(y[valid]),
        )
        weights[2, train] = 1.0
        made.append(data.TorchFold(source.axes(train).rows, *weights, number))
    return made, y


def timed(work):
    """(what `work` gives, seconds of work), which a busy machine changes less than those of the clock."""
    start = time.process_time()
    measured = work()
    return measured, time.process_time() - start


def build(setting, fold):
    """The mlp of a setting for the rows of a fold."""
    return mlp.MLP(fold.rows.shape[1], 2, HIDDEN, setting["dropout"])


def curves(folds, settings, truth, epochs, device="cpu"):
    plan = loop.Plan(losses.cross_entropy, epochs, log=quiet, device=device)
    return loop.train(build, folds, settings, truth, plan).curve


def plain(fold, setting, y, epochs):
    """The same training as anybody would write it."""
    torch.manual_seed(setting["seed"])
    network = torch.nn.Sequential(
        torch.nn.Linear(fold.rows.shape[1], HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Dropout(setting["dropout"]),
        torch.nn.Linear(HIDDEN, 2),
    )
    optimizer = torch.optim.AdamW(
        network.parameters(), setting["learning_rate"], weight_decay=setting["weight_decay"]
    )
    rows, labels = torch.tensor(fold.rows), torch.tensor(y)
    train, valid = (torch.tensor(np.flatnonzero(weights)) for weights in (fold.train, fold.valid))
    parts = {which: (rows[index], labels[index]) for which, index in (("train", train), ("valid", valid))}
    for _ in range(epochs):
        network.train()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(parts["train"][0]), parts["train"][1]).backward()
        optimizer.step()
        network.eval()
        with torch.no_grad():
            torch.nn.functional.cross_entropy(network(parts["valid"][0]), parts["valid"][1]).item()


def on_cpu(samples, genes, epochs):
    torch.set_num_threads(1)
    folds, y = folds_of(samples, genes)
    truth, pairs = np.eye(2)[y], list(itertools.product(range(5), range(len(SETTINGS))))
    curves(folds, SETTINGS, truth, 2)
    together, batched = timed(lambda: curves(folds, SETTINGS, truth, epochs))
    alone, single = timed(lambda: [curves([folds[f]], [SETTINGS[c]], truth, epochs) for f, c in pairs])
    _, usual = timed(lambda: [plain(folds[f], SETTINGS[c], y, epochs) for f, c in pairs])
    apart = max(np.abs(together[:, f, c] - a[:, 0, 0]).max() for (f, c), a in zip(pairs, alone, strict=True))
    print(
        f"{len(SETTINGS)} configurations x 5 folds, {samples} samples x {genes} genes, {epochs} epochs, one thread:"
        f" together {batched:.2f} s, one by one {single:.2f} s ({single / batched:.1f} times as long, target 5),"
        f" plain torch.nn {usual:.2f} s ({usual / batched:.1f} times);"
        f" largest difference of a validation loss {apart:.1e}"
    )


def seconds(work, repeats=10, device="cuda"):
    """Median time of one call on the GPU, after two to warm up."""
    measured = []
    for number in range(repeats + 2):
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        measured += [time.perf_counter() - start] if number > 1 else []
    return float(np.median(measured))


def ceilings(device, side):
    """(FLOP/s of a square matrix product, bytes/s of a copy), measured."""
    half = torch.bfloat16 if device == "cuda" else torch.float32
    square = torch.randn(side, side, device=device, dtype=half)
    flops = 2 * side**3 / seconds(lambda: square @ square, device=device)
    source = torch.empty(32 * side**2 // 8, device=device, dtype=half)
    return flops, 2 * source.numel() * source.element_size() / seconds(source.clone, device=device)


def on_gpu(samples, genes, device="cuda", minibatch=8192, configurations=4, side=8192):
    """Share of the ceiling that an epoch of training reaches, the whole matrix on the device."""
    flops, bandwidth = ceilings(device, side)
    X = np.random.default_rng(1).standard_normal((samples, genes), dtype=np.float32)
    y = (X[:, :20].sum(axis=1) > 0).astype(int)
    fold = data.TorchFold(X, np.ones(samples), np.zeros(samples), np.zeros(samples))
    settings = [s for s in SETTINGS if s["learning_rate"] == 0.001][:configurations]
    plan = loop.Plan(losses.cross_entropy, 10**6, log=quiet, device=device, minibatch=minibatch)
    truth = np.eye(2)[y]
    program = loop.Program(build, [fold], settings, truth, plan)
    rows = program.stacks[0][2]
    epoch = seconds(program.one_epoch, repeats=3, device=device)
    work = 4 * samples * genes * HIDDEN * len(settings)  # forward, and the gradient of the first layer
    moved = 2 * samples * genes * rows.rows.element_size()  # forward and gradient each read the matrix
    print(
        f"{device}: {len(settings)} networks, {samples} samples x {genes} genes resident, {epoch:.3f} s an epoch:"
        f" {work / epoch / 1e12:.2f} TFLOP/s, {100 * work / epoch / flops:.0f} % of the measured matrix product"
        f" ({flops / 1e12:.2f}); {moved / epoch / 1e9:.0f} GB/s, {100 * moved / epoch / bandwidth:.0f} % of the"
        f" measured copy ({bandwidth / 1e9:.0f})"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--genes", type=int, default=20000)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--gpu-samples", type=int, default=100_000)
    options = parser.parse_args()
    on_cpu(options.samples, options.genes, options.epochs)
    if torch.cuda.is_available():
        on_gpu(options.gpu_samples, options.genes)
    else:
        print("no GPU here: its part is left out")


if __name__ == "__main__":
    main()
