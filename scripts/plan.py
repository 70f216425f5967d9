"""Print what a run would ask for, and run nothing: `make plan`. Takes Snakemake's own options, profile and config included."""

import sys
from pathlib import Path

from snakemake.cli import main
from snakemake.workflow import Workflow

build = Workflow._build_dag


def build_and_print(workflow):
    """The plan of Snakemake (9.27), before any job, lock or submission."""
    build(workflow)
    print(workflow.globals["plan_text"](), flush=True)
    sys.exit(0)


config = sys.argv[sys.argv.index("--configfile") + 1]
if not Path(config).is_file():
    print(f"plan: {config or 'no config'}: no such file; name one: make plan CONFIG=my.yaml", file=sys.stderr)
    sys.exit(1)
Workflow._build_dag = build_and_print
main([*sys.argv[1:], "--nolock", "--rerun-incomplete", "--quiet", "all"])
