# `make` lists the targets. `make demo` and `make test` set everything up themselves.
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-data test faults lint bench golden clean
SHELL := bash
CORES ?= 2
DEMO ?= demo
SNAKEMAKE = .venv/bin/snakemake $$(cat .venv/snakemake_options)

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## .venv with Snakemake, and the tools by conda or Debian packages
	@envs/setup.sh

demo-data: setup ## only the simulated genome, reads and truth, in $(DEMO)/
	@.venv/bin/python resources/demo/make_demo.py --out $(DEMO)

demo: demo-data ## simulated reads to a trained model and predictions, in $(DEMO)/results
	@$(SNAKEMAKE) --cores $(CORES) --profile profiles/local --configfile $(DEMO)/config.yaml
	@echo
	@echo "report       $(DEMO)/results/report.html"
	@echo "bundle       $(DEMO)/results/bundle"
	@echo "predictions  $(DEMO)/results/predictions.tsv"
	@column -t -s $$'\t' $(DEMO)/results/predictions.tsv 2>/dev/null || cat $(DEMO)/results/predictions.tsv

test: setup ## unit tests, numbers from R, and the demo as a workflow test
	@.venv/bin/python -m pytest tests

faults: setup ## every fault of the catalogue, also through the workflow (a quarter of an hour)
	@.venv/bin/python -m tests.faults.run

lint: setup ## ruff, snakefmt and Snakemake's own linter
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	PATH="$$PWD/.venv/bin:$$PATH" snakefmt --check Snakefile rules
	.venv/bin/python resources/demo/make_demo.py --out .make/lint --pairs 50
	.venv/bin/snakemake --lint --configfile .make/lint/config.yaml

bench: setup ## speed and memory against bare tools and a peer, measured in one run (half an hour)
	.venv/bin/python tests/bench/reads_to_counts.py
	.venv/bin/python tests/bench/merge_counts.py
	.venv/bin/python tests/bench/expression.py

golden: ## make the numbers of tests/golden again with R (Debian's r-bioc-edger, -deseq2, -sva)
	Rscript tests/golden/make.R
	Rscript tests/golden/make_selection.R
	Rscript tests/golden/make_explore.R

clean: ## remove the demo and caches (not .venv)
	rm -rf $(DEMO) .snakemake .pytest_cache .ruff_cache
