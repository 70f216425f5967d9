"""How often 95 % intervals hold what such models are worth on new samples, in simulated cohorts.

    .venv/bin/python -m tests.bench.coverage [cohorts]

Two classes that differ by 0.35 sd in 20 of 300 genes; a ridge logistic regression. The truth is exact for each model (normal
genes), averaged over the folds and cohorts. docs/numbers.md has the result of 1,000 cohorts.
"""

import sys

from tests.unit.evaluation.test_corrected_intervals import coverage

cohorts = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
print("n\tfolds\trepeats\tmetric\tpercentile\tcorrected")
for options in (
    {"n": 30},
    {"n": 60},
    {"n": 30, "repeats": 5},
    {"n": 60, "repeats": 5},
    {"n": 60, "folds": 10},
):
    for metric, shares in coverage(cohorts=cohorts, n_boot=400, **options).items():
        settings = [options["n"], options.get("folds", 5), options.get("repeats", 1)]
        print(*settings, metric, *(f"{share:.3f}" for share in shares), sep="\t", flush=True)
