# Two commands: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test test-long lint setup

run: setup
	@exec $(BIN)/python -m app

test: setup
	$(BIN)/python -m pytest -n 2 $(TESTS)

# Kills, restarts and outages of the whole stack: some minutes.
test-long: setup
	$(BIN)/python -m pytest tests/stack/long_*.py

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
