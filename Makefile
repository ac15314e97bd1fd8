# `make demo` and `make test` need Python ≥ 3.11, make and git only; everything else is installed into .venv.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
BRITANNICA_DATA_DIR ?= data
DAGSTER_HOME ?= $(abspath data/dagster_home)
# OpenMP's threads sleep while they wait for each other: where other work shares the cores, spinning would stall them.
OMP_WAIT_POLICY ?= PASSIVE
export BRITANNICA_DATA_DIR DAGSTER_HOME OMP_WAIT_POLICY

.PHONY: help setup demo demo-ui test lint format dev bench

help:  ## What there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# The stamp is written last, so that an interrupted installation is taken up again.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, this is {sys.version}; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[ui,publish,test,lint]'
	@touch $@

setup: .venv/installed  ## The environment in .venv, with the versions of constraints.txt

demo: setup  ## The whole pipeline on the bundled sample encyclopaedia
	@$(BIN)/britannica demo

test: setup  ## The tests, two files at a time
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: setup  ## Ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup  ## Let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dev: setup  ## Dagster with its daemon, and MLflow, over the data folder; ports: DAGSTER_PORT, MLFLOW_PORT
	@$(BIN)/britannica dev

demo-ui: setup  ## The same over what `make demo` made, with the sample's wiki to scrape again
	@$(BIN)/britannica demo-ui

bench: setup  ## The benchmarks, each against its named reference
	@for benchmark in scraping text distillation evaluation; do echo "== $$benchmark"; $(BIN)/python -m benchmarks.$$benchmark || exit 1; done
