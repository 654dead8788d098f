# Every target works as the first command in a fresh clone: it makes .venv and installs by itself.
PYTHON ?= python3
BIN := .venv/bin
export DAGSTER_HOME := $(CURDIR)/.dagster

.PHONY: install demo test journeys chaos bench spark architecture screenshots dev check help
help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.venv/installed: pyproject.toml constraints.txt
	@echo "Installing into .venv (once, about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11 to 3.13 is needed; name one: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' --constraint constraints.txt
	@touch $@

install: .venv/installed ## into .venv; the others do it by themselves

demo: .venv/installed ## seven days of events through Dagster, from a sandbox on this machine
	@$(BIN)/python -m tests.demo

dev: .venv/installed ## Dagster's UI on http://localhost:3000 (or PORT=3001), with the sandbox unless .env names an account
	@$(BIN)/python -m tests.dev

test: .venv/installed ## the tests, but for the journeys
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not journey and not chaos and not spark"

journeys: .venv/installed ## the ways that users go, command by command: README and docs executed, clicks in a browser
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "journey and not chaos and not spark"

chaos: .venv/installed ## the test bench, its long forms too; each case prints its figures; takes long
	$(BIN)/python -m pytest -q -s tests/chaos

screenshots: .venv/installed ## the pictures of the docs, taken anew in a Chromium; look at them before they are committed
	@$(BIN)/python -m tests.screenshots

.venv/bench-installed: .venv/installed
	@echo "Installing what is compared with into .venv (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]' --constraint constraints.txt
	@touch $@

bench: .venv/installed .venv/bench-installed ## speed and memory beside dlt, Singer and others (ROWS=20000 REPEATS=1 CASES=pages DOCS=1)
	@$(BIN)/python -m tests.benchmarks $(CASES) $(if $(ROWS),--rows $(ROWS)) $(if $(REPEATS),--repeats $(REPEATS)) $(if $(DOCS),--docs)

.venv/spark-installed: .venv/installed
	@command -v java >/dev/null || { echo "Spark needs Java 17 or newer, as of apt-get install default-jre-headless"; exit 1; }
	@echo "Installing Spark into .venv (once, 400 MB) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,spark]' --constraint constraints.txt
	@touch $@

spark: .venv/installed .venv/spark-installed ## the docs' section on Spark, read by Spark itself; needs Java
	$(BIN)/python -m pytest -q tests/docs/test_spark.py

architecture: .venv/installed ## docs/architecture.svg, drawn from the code
	$(BIN)/python -m tests.architecture

check: .venv/installed ## all that has to be green: lint, format, types, import directions, definitions, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate
	$(MAKE) test
	$(MAKE) journeys
