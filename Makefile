# Everything a newcomer needs: `make demo` to try it, `make test` to prove it. `make` alone prints this help.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start the bot a hundred times: each start would compile all of it where compiled files are not to be kept.
unexport PYTHONDONTWRITEBYTECODE
# The day that new releases must be older than: a week before the locks were last made.
NEWER_THAN := 2026-11-16
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --no-config --generate-hashes --universal --no-emit-index-url \
	--no-emit-find-links --no-header --python-version 3.11 --exclude-newer $(NEWER_THAN)

.DEFAULT_GOAL := help
.PHONY: help demo smoke test browser check fix rules bench lock lock-check clean

help:  ## print this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Duedesk needs Python 3.11 or newer; set PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes --only-binary :all: -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.ready $@

demo: $(VENV)/.ready  ## the whole bot in your browser: no Slack, no tokens, no network
	$(BIN)/python -m sandbox $(ARGS)

smoke: $(VENV)/.ready  ## drive the demo as a client would, check its figures with our own SQL, end
	$(BIN)/python -m sandbox.smoke

test: $(VENV)/.ready-dev  ## every test but the browser's, on SQLite and on a real PostgreSQL
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

browser: $(VENV)/.ready-dev  ## the browser tests (needs Chromium)
	$(BIN)/pytest -m browser tests/browser -p no:xdist $(ARGS)

check: $(VENV)/.ready-dev  ## format, lint, types, import contracts, locks, rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory lock-check rules

fix: $(VENV)/.ready-dev  ## format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

rules: $(VENV)/.ready-dev  ## which tests prove which of the 120 rules
	$(BIN)/python -m tests.rules

bench: $(VENV)/.ready-dev  ## speed and memory beside their floors; QUICK=1 stays under a minute
	$(BIN)/python -m benchmarks.run $(if $(QUICK),--quick,)

lock: $(VENV)/.ready-dev  ## make the lock files again
	$(COMPILE) --upgrade --extra sandbox --extra setup --output-file requirements.lock
	$(COMPILE) --upgrade --extra sandbox --extra setup --extra dev --output-file requirements-dev.lock

lock-check: $(VENV)/.ready-dev
	@cp requirements.lock requirements-dev.lock $(VENV)/
	@$(COMPILE) --extra sandbox --extra setup --output-file $(VENV)/requirements.lock
	@$(COMPILE) --extra sandbox --extra setup --extra dev --output-file $(VENV)/requirements-dev.lock
	@cmp requirements.lock $(VENV)/requirements.lock && cmp requirements-dev.lock $(VENV)/requirements-dev.lock \
		&& echo "lock files match pyproject.toml"

clean:  ## remove the environment and what tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis var
