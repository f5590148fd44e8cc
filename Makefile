# Every command a person needs. `make` alone lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
JEJAK  := $(BIN)/jejak
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run test test-kafka test-kannel test-browser test-chaos test-containers check format docs bench up down clean

help: ## List the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Set up and run the whole office here: no Java, no container, no account
	$(JEJAK) run

test: $(VENV)/.dev ## Set up and pass the tests that need only PyPI
	$(PYTEST) -n auto -m "not kafka and not containers and not browser and not chaos and not kannel"

test-kafka: $(VENV)/.dev ## The tests over a real Apache Kafka, which they start and stop (Java 17, Maven)
	$(BIN)/python -m deploy.kafka install
	$(PYTEST) -m "kafka and not containers and not browser and not chaos and not kannel"

test-kannel: $(VENV)/.dev ## Messages through a real SMS gateway (Debian's kannel and kannel-extras)
	$(PYTEST) -m "kannel"

test-browser: $(VENV)/.dev ## The journey in a real browser (Debian's chromium; once over Kafka: Java 17, Maven)
	$(PYTEST) -m "browser"

test-chaos: $(VENV)/.dev ## Kill processes under load and count what is left
	$(PYTEST) -m "chaos"

test-containers: $(VENV)/.dev ## The integration tests on parts that testcontainers starts (root, Debian)
	$(BIN)/python -m deploy.kafka install
	PYTHON=$(BIN)/python deploy/containers/run.sh $(PYTEST) tests/integration tests/contract \
	  -m "not chaos and not browser and not kannel" --parts=containers

check: $(VENV)/.dev ## Format, lint, types, import contracts, generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.documents --check

format: $(VENV)/.dev ## Put the code into the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## Generate docs/asyncapi.yaml and docs/openapi.json from the code
	$(BIN)/python -m deploy.documents

bench: $(VENV)/.dev ## Measure against limits and peers in one run; writes build/bench.json
	$(BIN)/python -m tests.bench

up: $(VENV)/.up ## The same office over a real Kafka and PostgreSQL, a process per service
	$(BIN)/python -m deploy.up start

down: ## End what `make up` started; data stays in data/up
	$(BIN)/python -m deploy.up stop

clean: ## Remove the environment and build results; never the data folder
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Jejak needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "On Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]' -c constraints.txt
	@touch $@

$(VENV)/.up: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[up]' -c constraints.txt
	@touch $@ $(VENV)/.run

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $@ $(VENV)/.run $(VENV)/.up
