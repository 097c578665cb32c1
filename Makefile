# Two commands matter: `make demo` and `make test`. Both set up what they need in .venv and are quick the second time.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CHAOS := tests/chaos tests/figures tests/adversarial tests/store tests/unit/test_app.py
PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml) constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test chaos soak check bench docs clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.demo-ready ## Try everything in the browser, with nothing to sign up for
	@$(BIN)/logicspike demo $(ARGS)

test: $(VENV)/.dev-ready ## Run the tests, but the long ones
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(ARGS)

chaos: $(VENV)/.dev-ready ## Kill processes and the database while posts go out (10 minutes; LOGICSPIKE_SEED=n repeats it)
	@$(BIN)/python -m pytest $(CHAOS) -m chaos --capture=no -q --numprocesses 2 --dist loadgroup $(ARGS)

soak: $(VENV)/.dev-ready ## The same, ten times as big and one after the other: before a release
	@LOGICSPIKE_SOAK=10 $(BIN)/python -m pytest $(CHAOS) -m chaos --capture=no -q $(ARGS)

check: $(VENV)/.dev-ready ## Format, lint, types, import directions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy bot/logicspike plugins/facebook/src plugins/twitter/src plugins/linkedin/src examples/mastodon/src
	@$(BIN)/lint-imports

bench: $(VENV)/.dev-ready ## Measure beside named alternatives (docs/benchmarks.md)
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.dev-ready ## Write the parts of docs/ that are made from the code
	@$(BIN)/python -m scripts.write_docs

clean: ## Remove the virtual environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "LogicSpike needs Python 3.11 or newer; '$(PYTHON)' is missing or older. Install it, or name another: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
	  rm -rf $(VENV); echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.demo-ready: $(PROJECTS) | $(BIN)/python
	@echo "Setting up $(VENV) (once, about a minute) …"
	@$(INSTALL) --editable '.[embedded]' $(foreach plugin,$(wildcard plugins/*/pyproject.toml),--editable $(dir $(plugin)))
	@touch $@

$(VENV)/.dev-ready: $(PROJECTS) requirements-dev.txt | $(BIN)/python
	@echo "Setting up $(VENV) for development (once, about two minutes) …"
	@$(INSTALL) --requirement requirements-dev.txt
	@touch $@ $(VENV)/.demo-ready
