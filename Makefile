# Pellucid: every target sets up what it needs in .venv and needs only Python 3.11 with pip and venv.
PYTHON ?= python3
STYLE ?= resources
LISTEN ?= 127.0.0.1:8080
ADMIN ?= 127.0.0.1:8081
BACKEND ?= 127.0.0.1:8090
UPSTREAM ?=
SHOP ?=
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check docs clean

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  e.g. make run UPSTREAM=https://api.example.org   or   make run STYLE=sessions"
	@echo "  or make run STYLE=tokens SHOP='--tokens encrypted'; styles: sessions, resources, tokens, flask"

.venv: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m compileall -q proxy backend # so that the first start is as quick as the others
	@touch .venv

.venv/tools: pyproject.toml | .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@touch .venv/tools

.venv/demo: pyproject.toml | .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch .venv/demo

run: .venv $(if $(filter flask encrypted,$(STYLE) $(SHOP)),.venv/demo) ## start the proxy in front of the sample backend, or of UPSTREAM=URL
	@exec env LISTEN=$(LISTEN) ADMIN=$(ADMIN) BACKEND=$(BACKEND) STYLE=$(STYLE) UPSTREAM=$(UPSTREAM) SHOP="$(SHOP)" sh scripts/run.sh $(ARGS)

# Compiled modules are kept even where the environment forbids it: the tests start hundreds of processes.
test: .venv/tools ## run all tests, in parallel
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto $(ARGS)

check: .venv/tools ## formatter, linter, type checker
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: .venv ## write the documents that are made from the code
	$(BIN)/python -m docs.generate

clean: ## remove what the other targets made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find proxy backend tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
