# Luopan. `make` alone lists what there is.
# PYTHON=python3.12 make run   takes another Python (3.11 or later) when .venv is made.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install --only-binary :all:
INSTALLED := $(VENV)/installed
INSTALLED_DEV := $(VENV)/installed-dev

.DEFAULT_GOAL := help
.PHONY: help run test check bench bench-forecast shots fmt clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(INSTALLED)  ## start the program on http://localhost:8501
	@$(BIN)/python -m core.serve

test: $(INSTALLED_DEV)  ## run the whole suite
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(INSTALLED_DEV)  ## lint, types, layers, architecture, translations, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest tests/test_architecture.py tests/test_translations.py tests/test_docs.py

bench: $(INSTALLED_DEV)  ## measure the pages against a typical dashboard
	@$(BIN)/python -m benchmarks

bench-forecast: $(INSTALLED_DEV)  ## measure the forecasts on public series (some 20 minutes)
	@nice -n 15 $(BIN)/python -m benchmarks.forecast

shots: $(INSTALLED_DEV)  ## make the README's pictures from the demo data
	@$(BIN)/python docs/shots.py

fmt: $(INSTALLED_DEV)  ## format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and caches; data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Luopan needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "Name another: PYTHON=python3.12 make run" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)

$(INSTALLED): requirements.txt | $(BIN)/python
	@echo "Installing what the program needs (some minutes the first time) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt $(INSTALLED)
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@
