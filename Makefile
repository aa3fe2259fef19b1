# Needs make and python3 >= 3.11, nothing else: the rest goes into .venv.
.PHONY: help setup demo test check bench soak clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --only-binary :all:
ARGS ?=
# More than one core and no debugger: tests run in parallel. `make test WORKERS=0` runs them in one process.
WORKERS ?= auto

help:
	@echo "make demo    a relay chain, parachains and XCM between them, here and now  (ARGS='--clock virtual')"
	@echo "make test    the tests                    make check   format, lint, types, imports"
	@echo "make bench   the figures and their bars    make soak    long runs"
	@echo "make setup   everything a developer needs, into $(VENV)"

# Stamps make the second run start at once; a changed pyproject.toml installs again.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "relayloom needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 2; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "could not create $(VENV): install your system's venv package (Debian: apt install python3-venv)" >&2; exit 2; }
	@touch $@

$(VENV)/.run: $(VENV)/.python pyproject.toml
	@echo "installing relayloom and what it runs on into $(VENV) (about a minute)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml
	@echo "installing relayloom and its development tools into $(VENV) (about a minute)"
	@$(PIP) --editable '.[dev]'
	@touch $(VENV)/.run $@

setup: $(VENV)/.dev

demo: $(VENV)/.run
	@$(BIN)/testnet demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n $(WORKERS) $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python tests/benchmarks/bench.py $(ARGS)

soak: $(VENV)/.dev
	$(BIN)/python -m pytest -q -s -m soak -n 0 --timeout 7200 $(ARGS)

clean:
	rm -rf $(VENV)/.run $(VENV)/.dev .pytest_cache .ruff_cache .import_linter_cache .hypothesis
