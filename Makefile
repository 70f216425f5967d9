# `make` lists the targets. `make demo` and `make test` set everything up themselves.
.DEFAULT_GOAL := help
# From any folder: make -f <here>/Makefile predict ...
HERE := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
.PHONY: help setup demo demo-data sheet plan predict example test quick faults clouds chaos docs lint lock bench golden dag clean
SHELL := bash
CORES ?= 2
DEMO ?= demo
EXAMPLE ?= example
CLOUDS ?= tests/cloud
QUICK ?= $(addprefix tests/unit/,core docs planning qc reference rules training/test_preprocessing.py)
OF_PROFILE = $(if $(PROFILE),$(shell grep -s '^cores:' "$(PROFILE)/config.yaml"))
SNAKEMAKE = .venv/bin/snakemake $$(cat .venv/snakemake_options)

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## .venv with Snakemake, and the tools by conda or Debian packages (as root, or with SETUP_APT=1 by sudo)
	@"$(HERE)envs/setup.sh"

demo-data: setup ## only the simulated genome, reads and truth, in $(DEMO)/
	@.venv/bin/python resources/demo/make_demo.py --out $(DEMO)

demo: demo-data ## simulated reads to a trained model and predictions, in $(DEMO)/results
	@$(SNAKEMAKE) --cores $(CORES) --profile profiles/local --configfile $(DEMO)/config.yaml
	@echo
	@echo "report       $(DEMO)/results/report.html"
	@echo "bundle       $(DEMO)/results/bundle"
	@echo "predictions  $(DEMO)/results/predictions.tsv"
	@column -t -s $$'\t' $(DEMO)/results/predictions.tsv 2>/dev/null || cat $(DEMO)/results/predictions.tsv

sheet: setup ## FASTQ=folder: samples.tsv and config.yaml from the names of the reads below it, in OUT= (default: the folder you are in); FIX_NAMES=sheet COUNTS=matrix: the sheet with the matrix's names
	@"$(HERE).venv/bin/python" "$(HERE)scripts/sheet.py" $(if $(FIX_NAMES),--fix-names "$(FIX_NAMES)" --counts "$(COUNTS)","$(FASTQ)") $(if $(OUT),--out "$(OUT)")

plan: setup ## CONFIG=my.yaml: hours, memory, disk, files and submissions of a run, and what fits no partition, before it; FOLDER= PROFILE=
	@"$(HERE).venv/bin/python" "$(HERE)scripts/plan.py" -s "$(HERE)Snakefile" --configfile "$(CONFIG)" $(if $(FOLDER),-d "$(FOLDER)") \
		--profile "$(or $(realpath $(PROFILE)),$(PROFILE),$(HERE)profiles/slurm)"

# No set-up here: others' installations are used by cron. -B: nothing is written into them.
predict: ## BUNDLE=path SAMPLES=sheet (or COUNTS=matrix): only predictions, in `results` beside the sheet; RESULTS= REFERENCE= PROFILE= ALLOW_CODE=1
	@"$(HERE)envs/is_ready.sh" predict
	@"$(HERE).venv/bin/python" -B "$(HERE)scripts/serve.py" --bundle "$(BUNDLE)" $(if $(SAMPLES),--samples "$(SAMPLES)") \
		$(if $(COUNTS),--counts "$(COUNTS)") $(if $(RESULTS),--results "$(RESULTS)") $(if $(REFERENCE),--reference "$(REFERENCE)") \
		$(if $(ALLOW_CODE),--allow-code) \
		-- $(if $(and $(OF_PROFILE),$(filter file,$(origin CORES))),,--cores $(CORES)) --profile "$(or $(realpath $(PROFILE)),$(PROFILE),$(HERE)profiles/local)"

example: setup ## published data: the same models under random folds and by study, in $(EXAMPLE)/
	@.venv/bin/python resources/example/prepare.py --out $(EXAMPLE)
	@for folds in by_sample by_condition by_study; do echo "example: $$folds"; \
		$(SNAKEMAKE) --cores $(CORES) --profile $$PWD/profiles/local -d $(EXAMPLE) --configfile $(EXAMPLE)/$$folds.yaml || exit 1; done
	@.venv/bin/python resources/example/summarize.py --folder $(EXAMPLE)

test: setup ## unit tests, numbers from R, and the demo as a workflow test
	@envs/test_tools.sh
	@.venv/bin/python -m pytest tests -n 2

quick: setup ## unit tests that need neither tools nor a browser, in under two minutes
	@.venv/bin/python -m pytest $(QUICK) -n 2

faults: setup ## every fault of the catalogue, also through the workflow (a quarter of an hour)
	@.venv/bin/python -m tests.faults.run

clouds: setup ## the profiles of clouds, with an S3 server and jobs that share nothing else (a quarter of an hour)
	@envs/clouds.sh
	@PATH="$$PWD/.venv/bin:$$PATH" .venv-clouds/bin/python -m pytest $(CLOUDS)

chaos: setup ## kill a small run at 20 random moments; it must end with the same bytes (ten minutes or more)
	.venv/bin/python -m tests.chaos.kill

docs: setup ## config/config.yaml and the tables of config/README.md, from config/schemas/config.schema.yaml
	@.venv/bin/python resources/docs/make_docs.py

lint: setup ## ruff, snakefmt, import-linter, mypy and Snakemake's own linter
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	PATH="$$PWD/.venv/bin:$$PATH" snakefmt --check Snakefile rules
	.venv/bin/lint-imports
	.venv/bin/mypy
	.venv/bin/python resources/demo/make_demo.py --out .make/lint --pairs 50
	.venv/bin/snakemake --lint --configfile .make/lint/config.yaml

lock: setup ## exact packages of every environment, in envs/*.linux-64.pin.txt; PLATFORM="linux-64 osx-arm64" LOCKS=envs/locks CUDA=12.8
	@.venv/bin/python envs/lock.py envs/*.yaml --platform $(or $(PLATFORM),linux-64) $(if $(LOCKS),--out $(LOCKS)) \
		$(if $(CUDA),--cuda $(CUDA)) $(if $(KEEP_GOING),--keep-going)

bench: setup ## speed and memory against bare tools, R, scikit-learn and a peer; models on published sets (an hour)
	.venv/bin/python tests/bench/reads_to_counts.py
	.venv/bin/python tests/bench/merge_counts.py
	.venv/bin/python tests/bench/expression.py
	.venv/bin/python tests/bench/components.py
	.venv/bin/python tests/bench/nested_cv.py
	.venv/bin/python tests/bench/batched_torch.py
	.venv/bin/python tests/bench/quality.py
	.venv/bin/python tests/bench/dry_run.py
	.venv/bin/python tests/bench/cohort.py

golden: ## make the numbers of tests/golden again with R (Debian's r-bioc-edger, -deseq2, -sva)
	Rscript tests/golden/make.R
	Rscript tests/golden/make_selection.R
	Rscript tests/golden/make_explore.R

dag: demo-data ## draw docs/dag.svg again: the rules of the demo (needs graphviz)
	@.venv/bin/snakemake --configfile $(DEMO)/config.yaml -d $(DEMO) --rulegraph 2>/dev/null | tred | dot -Tsvg > docs/dag.svg.new
	@mv docs/dag.svg.new docs/dag.svg

clean: ## remove the demo, the example and caches (not .venv)
	rm -rf $(DEMO) $(EXAMPLE) .make .snakemake .hypothesis .pytest_cache .ruff_cache .mypy_cache
