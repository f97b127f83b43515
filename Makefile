# Two commands: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test test-quick drill bench-outbox bench-import bench-inbox bench-live bench-campaign bench-segments bench-analytics clean-root audit lint lock setup

run: setup
	@exec $(BIN)/python -m app

# Every test there is: the quick ones; whole stacks and browsers, started, killed and started again; stories in simulated time.
test: test-quick
	$(BIN)/python -m pytest -n 2 tests/browser tests/stack
	$(BIN)/python -m pytest -n 2 tests/stories

# The default suite, what `pytest` alone runs: some minutes.
test-quick: setup
	$(BIN)/python -m pytest -n 3

# A campaign of 2,000 while everything is killed, flushed and restarted a hundred times; on both databases, half an hour.
drill: setup
	$(BIN)/python -m bench.drill $(DRILL)

# A thousand connections, and replies behind campaigns, beside the ceiling of the same run; both databases.
bench-outbox: setup
	$(BIN)/python -m bench.outbox $(BENCH)

# A hundred thousand and a million rows, new and again, beside the bare upsert of the same run; both databases.
bench-import: setup
	$(BIN)/python -m bench.imports $(BENCH)

# The inbox with a million fans and ten million messages (SQLite: a tenth), each page beside its bare SQL; both databases.
bench-inbox: setup
	$(BIN)/python -m bench.inbox $(BENCH)

# A message posted until 1, 100 and 500 watchers have it, beside a bare emit by the same server; both databases.
bench-live: setup
	$(BIN)/python -m bench.live $(BENCH)

# A launch to a hundred thousand, replies meanwhile, and what segments cost, beside the bare SQL of the same run; both databases.
bench-campaign: setup
	$(BIN)/python -m bench.campaigns $(BENCH)

# What rules cost with a million fans and all that they did (SQLite: a tenth), beside their bare SQL; both databases.
bench-segments: setup
	$(BIN)/python -m bench.segments $(BENCH)

# Figures of a month with a million fans and ten million payments (SQLite: a tenth), each page beside its bare SQL; both databases.
bench-analytics: setup
	$(BIN)/python -m bench.analytics $(BENCH)

# docs/deploy.md on an empty Debian, word for word, up to a page behind TLS. As root, with debootstrap; some minutes.
clean-root: setup
	$(BIN)/python -m bench.clean_root $(ROOT_FOLDER)

# Known holes in what is installed, as the advisory service of PyPI tells them; it needs the way there.
audit:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet pip-audit
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.txt

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# Pins every dependency anew. Extras stay in the file: without them pip takes a newer `pydantic[email]` than the pinned pydantic and fails.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--no-emit-index-url --no-header --quiet --output-file requirements.txt

setup: .venv/.installed
	@$(BIN)/python app/assets.py
	@$(BIN)/python -m compileall -q app sandbox worker.py wsgi.py

.venv/.installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Greenroom needs Python 3.11 or newer: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@
