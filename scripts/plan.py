"""Print the resources that a run would request, without running it: `make plan`. Takes Snakemake's own options,
profile and config included."""

import sys
from pathlib import Path

from snakemake.cli import main

from rna2model.planning import patching, snakemake_patches


def show(workflow):
    """Print the plan, which the Snakefile can calculate."""
    print(workflow.globals["run_plan"].text(), flush=True)


config = sys.argv[sys.argv.index("--configfile") + 1]
if not Path(config).is_file():
    print(f"plan: {config or 'no config'}: no such file; name one: make plan CONFIG=my.yaml", file=sys.stderr)
    sys.exit(1)
skipped = []
if not snakemake_patches.show_instead_of_run(show, skipped=skipped):
    sys.exit("\n".join(patching.messages(skipped)))
main([*sys.argv[1:], "--nolock", "--rerun-incomplete", "--quiet", "all"])
