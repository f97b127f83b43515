# Two commands: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test test-quick lint setup

run: setup
	@exec $(BIN)/python -m app

# Every test there is: the quick ones, then whole stacks and browsers, started, killed and started again.
test: test-quick
	$(BIN)/python -m pytest -n 2 tests/browser tests/stack

# The default suite, what `pytest` alone runs: a minute.
test-quick: setup
	$(BIN)/python -m pytest -n 3

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

setup: .venv/.installed
	@$(BIN)/python app/assets.py
	@$(BIN)/python -m compileall -q app sandbox worker.py wsgi.py

.venv/.installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Greenroom needs Python 3.11 or newer: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@
