"""Predict the samples of a sheet with a bundle, and nothing else: `make predict BUNDLE=path SAMPLES=sheet`.

Counting settings and reference are those of the bundle. The results are beside the sheet: predictions.tsv, samples.tsv, and
status.json, which is kept while the run goes on. Exit codes: 0 all samples predicted, 3 some excluded, 4 bad input, 5 a job
failed or the run was stopped, 6 another run predicts into the same results.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))
sys.dont_write_bytecode = True  # write nothing into an installation that others share
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

from rna2model.core import files, user_cache
from rna2model.core.errors import InputProblem
from rna2model.planning import predict_run, predict_status, run_lock


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(predict_status.BAD_INPUT, f"predict: {message}\n")


def options():
    parser = Parser(description=__doc__)
    parser.add_argument("--bundle", required=True, help="folder of the bundle")
    parser.add_argument("--samples", help="sample sheet; with --counts it may be left out")
    parser.add_argument("--counts", help="genes x samples matrix instead of reads")
    parser.add_argument("--results", help="output folder; default: `results` beside the sheet")
    parser.add_argument(
        "--reference",
        help="where the genome and annotation of the bundle are: a config that names them, or a folder with both",
    )
    parser.add_argument(
        "--allow-code",
        action="store_true",
        help="import the Python file of a model that somebody brought, which the bundle carries; read it before",
    )
    parser.add_argument(
        "snakemake",
        nargs="*",
        help="after --: options of Snakemake; default: --cores 2 --profile profiles/local",
    )
    return parser.parse_args()


def main():
    arguments = options()
    request = predict_run.look(
        arguments.bundle,
        arguments.samples,
        arguments.counts,
        arguments.results,
        arguments.reference,
        arguments.allow_code,
    )
    run = predict_run.begin(request.results)
    try:
        with run_lock.Lock(request.results) as lock:
            if lock.taken_over is not None:
                print("predict: the run before this one did not end; this one goes on with what it left")
            return predict(request, run, lock, arguments.snakemake)
    except run_lock.Locked:
        run.rmdir()  # nothing was written into it
        raise


def predict(request, run, lock, arguments):
    """Exit code of a run that holds the lock of its results."""
    facts = {"host": lock.content["host"], "pid": os.getpid(), "bundle": str(request.bundle)}
    facts["bundle_sha256"] = files.checksum(request.bundle / "manifest.json")
    status = predict_status.Status.begin(run, **facts)
    try:
        folder, config = predict_run.write(request, run, tell=print)
    except InputProblem as problem:
        status.finish(predict_status.BAD_INPUT, str(problem))
        raise
    code = snakemake(folder, config, run, lock, arguments)
    status = predict_status.Status(run)
    code = status.end(code, status.content["reason"])
    predict_run.forget_old(request.results)
    report(request, code, status)
    return code


def snakemake(folder, config, run, lock, arguments):
    """Exit status of Snakemake, which belongs to the lock, so that it is not taken over while only Snakemake lives."""
    command = [sys.executable, "-m", "snakemake", "predictions", "-s", REPOSITORY / "Snakefile", "-d", folder]
    # Snakemake's own lock would remain after a kill, and covers the whole folder; ours covers the results.
    command += ["--configfile", config, "--nolock", "--rerun-incomplete"]
    tools = REPOSITORY / ".venv/snakemake_options"  # written by `make setup`: with conda or not
    command += user_cache.conda_options(tools.read_text().split()) if tools.is_file() else []
    command += arguments or ["--cores", "2", "--profile", REPOSITORY / "profiles/local"]
    environment = os.environ | {predict_status.RUN_FOLDER: str(run)}
    started = subprocess.Popen([str(part) for part in command], env=environment)
    lock.add(started.pid)
    signal.signal(signal.SIGTERM, lambda *_: started.terminate())
    while True:
        try:
            return started.wait()
        except KeyboardInterrupt:  # Snakemake receives it as well, and stops its jobs
            continue


def report(request, code, status):
    if code in (predict_status.ALL_PREDICTED, predict_status.SOME_EXCLUDED):
        for note in predict_run.ignored_columns(request.results) if request.sheet and request.matrix else ():
            print(f"{request.matrix}: {note}")
        if (request.results / "predictions.tsv").exists():
            print(f"\npredictions  {request.results / 'predictions.tsv'}")
        print(f"samples      {request.results / 'samples.tsv'} (who was excluded, and why)")
    counts = {state: n for state, n in status.content["counts"].items() if n}
    counted = ", ".join(f"{n} {state}" for state, n in counts.items())
    print(
        f"status       {request.results / predict_status.NAME} ({counted or 'no sample'}; exit code {code})"
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except InputProblem as problem:
        print(f"predict: {problem}", file=sys.stderr)
        sys.exit(predict_status.LOCKED if isinstance(problem, run_lock.Locked) else predict_status.BAD_INPUT)
