# `make run` and `make test` need Python 3.11 or newer and make; everything else they set up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# atheris and the fuzzers' interpreter stand apart: nothing else needs them.
FUZZ_VENV := .venv-fuzz
# Many tests wait for processes, so that two cores have work for three.
WORKERS ?= 3
FUZZ_SECONDS ?= 300

.DEFAULT_GOAL := help
.PHONY: help run test check lint types contracts tests bench fuzz soak goldens woocommerce-plugin woocommerce-real lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP) ## the hub with demo shops, a sandbox PAC and links to open
	$(BIN)/autofactura up --demo

test: check tests ## everything that must hold: format, lint, types, contracts, tests

check: lint types contracts

lint: $(STAMP) ## format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

contracts: $(STAMP) ## who may import whom
	$(BIN)/lint-imports --no-cache

tests: $(STAMP) ## the tests, with branch coverage
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --cov --cov-report=
	$(BIN)/coverage report --skip-covered --fail-under=85

bench: $(STAMP) ## speed and memory, as ratios of one run; also written to var/bench.json
	$(BIN)/python -m tests.bench

fuzz: $(STAMP) $(FUZZ_VENV)/.installed ## give hostile bytes to what reads them: FUZZ_SECONDS each
	@for target in validate read constancia json; do \
	  echo "== $$target"; mkdir -p var/fuzz/$$target && \
	  $(FUZZ_VENV)/bin/python -m tests.fuzz $$target var/fuzz/$$target/corpus \
	    -artifact_prefix=var/fuzz/$$target/ -max_total_time=$(FUZZ_SECONDS) \
	    -timeout=20 -rss_limit_mb=1500 -verbosity=0 -print_final_stats=1 || exit 1; done
	@echo "== carts"; HYPOTHESIS_PROFILE=random CARTS=5000 \
	  $(BIN)/python -m pytest -q tests/amounts

$(FUZZ_VENV)/.installed: requirements.lock tests/fuzz/requirements.txt
	$(PYTHON) -m venv $(FUZZ_VENV)
	$(FUZZ_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  -r requirements.lock -r tests/fuzz/requirements.txt
	@touch $@

soak: $(STAMP) ## stamp many sales while workers are killed; SOAK_SALES and SOAK_SECONDS bound it
	$(BIN)/python -m pytest tests/e2e/test_soak.py -q

woocommerce-plugin: $(STAMP) ## the zip of the WooCommerce plug-in, in dist/
	@$(BIN)/python -m connectors.woocommerce.packaging zip dist

woocommerce-real: $(STAMP) ## the plug-in in a real shop: WOO_DIR=folder (docs/woocommerce/testing.md)
	@test -n "$(WOO_DIR)" || { echo "WOO_DIR=folder is needed: see docs/woocommerce/testing.md"; exit 1; }
	WOO_DIR="$(WOO_DIR)" PICTURES="$(PICTURES)" $(BIN)/python -m pytest tests/woocommerce_real

lock: ## pin every dependency again (needs uv); for all platforms and Python 3.11 to 3.14
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --no-header --quiet --extra dev pyproject.toml -o requirements.lock

clean: ## remove what was built; var/ (your data) stays
	rm -rf $(VENV) $(FUZZ_VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
