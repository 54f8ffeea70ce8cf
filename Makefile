# The project's commands. `make` alone lists them.

# The first that really runs and is recent enough: version managers leave names on the PATH that only complain.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STATIC := src/controlroom/ui/static/manifest.json
WRITTEN := libraries/client/src/controlroom_client/written/sources.sha256
# Wheels of their own, of the same version: what others have of us without the room.
# (What of one is written from the room's document is no more in git than the console's assets.)
LIBRARIES := $(patsubst %/pyproject.toml,%,$(wildcard libraries/*/pyproject.toml))
# With what only tests in a browser need (NO_TOOLS=1: without).
TOOLS = $(if $(NO_TOOLS),,--with-tools)
ASSETS := $(shell find assets -name node_modules -prune -o -type f -print)
PYTEST := $(BIN)/pytest
# One more than most machines that test have cores: a good part of the tests waits for processes.
JOBS ?= 3
T ?= tests
# AGAIN=1: only those that failed last, one after another.
ONCE_MORE = $(if $(AGAIN),-n 0 --last-failed --last-failed-no-failures none)
# What `make test` needs not even read: no test there is its.
APART := $(addprefix --ignore=tests/,bench clients e2e fault soak)

# Behind a company's proxy its authority stands in the machine's store alone: uv looks there, too, where there is a store,
# and pip, which is old on some machines, unless it was told another file already.
STORE := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem \
  /etc/ssl/certs/ca-bundle.crt /etc/ssl/cert.pem))
export UV_SYSTEM_CERTS ?= $(if $(STORE),true,false)
export UV_NATIVE_TLS ?= $(UV_SYSTEM_CERTS)
PIP_TRUST = $(if $(PIP_CERT)$(REQUESTS_CA_BUNDLE)$(CURL_CA_BUNDLE),,$(if $(STORE),$$($(BIN)/python -m pip config list | \
  grep -q '\.cert=' || echo --cert $(STORE))))

.DEFAULT_GOAL := help
.PHONY: help install assets demo test matrix lint e2e e2e-full clients fault bench fuzz soak shots lock coverage-table state-diagrams wheel upgrade clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) $(STATIC) $(WRITTEN) ## Make .venv with all that running and testing need (instant when nothing changed)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: none was found on the PATH."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; $(PYTHON) is older. Name another one: make install PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is not complete here (on Debian: apt-get install python3-venv)."; exit 1; }

# uv is the one package that pip installs, from the same hash-pinned list; uv installs the rest.
$(BIN)/uv: | $(BIN)/python
	awk '/^[a-z]/ { wanted = /^uv==/ } wanted' requirements/dev.txt > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes $(PIP_TRUST) -r $(VENV)/uv.txt

$(STAMP): requirements/dev.txt pyproject.toml $(LIBRARIES:%=%/pyproject.toml) | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/dev.txt
	@command -v npm >/dev/null || \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/node.txt
	$(BIN)/python assets/build.py $(TOOLS)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . $(addprefix --editable ./,$(LIBRARIES))
	@touch $@

# What the console's pages load: nothing of it is in git. Who has a folder of these very sources needs no npm.
$(STATIC): $(ASSETS) | $(STAMP)
	$(BIN)/python assets/build.py $(TOOLS)
	@touch $@

# The models and operations of the client, as the room's document says: made of the code that serves the API.
DOCUMENT := libraries/client/build.py $(wildcard src/controlroom/*.py) \
  $(shell find src/controlroom/border src/controlroom/dialects/robocorp src/controlroom/engine -name '*.py')
$(WRITTEN): $(DOCUMENT) | $(STAMP)
	$(BIN)/python libraries/client/build.py
	@touch $@

assets: install ## Make the console's style sheet, scripts, icons and fonts anew (part of install)

demo: install ## Start a room, run the sample robot, show the result (ONCE=1: end after it)
	@$(BIN)/python examples/demo.py $(if $(ONCE),--once)

test: install ## Run the tests that need no browser (T=path: only those, AGAIN=1: those that failed)
	$(PYTEST) -q -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not e2e and not fault and not fuzz and not soak and not slow and not network and not matrix and not clients" $(ONCE_MORE) $(APART) $(T)

matrix: install ## Test what takes long: every kind of worker, robot and Python, generated requests, backups that are killed
	$(PYTEST) -q -n $(JOBS) --dist loadfile --no-loadscope-reorder -m matrix $(APART) tests

lint: install ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

e2e: install ## Test whole rooms: real processes, real robots, a real browser
	$(PYTEST) -q -n 2 --dist loadfile -m "e2e and not slow and not matrix" $(ONCE_MORE) tests/host tests/e2e

e2e-full: install ## The same, with the long ones: wheel in a clean folder, several servers, S3
	$(PYTEST) -q -m "e2e" --timeout 900 tests/host tests/e2e

clients: install ## Test the dbt Cloud grammar by Airflow, Dagster, Prefect and others from PyPI (1 GB; K=name: only those)
	$(PYTEST) -q -m clients --timeout 1200 $(if $(K),-k "$(K)") tests/clients

fault: install ## Kill real processes at random and check that nothing was lost
	$(PYTEST) -q -s -m fault --timeout 7200 tests/fault

bench: install ## Measure, and print ratios within one run (B=name: only those)
	@$(BIN)/python -m tests.bench $(B)

fuzz: install ## Fuzz the APIs by their own documents, and all properties with examples that are not those of `make test`
	EXAMPLES=new $(PYTEST) -q -m fuzz --timeout 3600 tests
	EXAMPLES=new $(MAKE) --no-print-directory test

soak: install ## Work a room for two hours and watch memory, files, sessions (CONTROLROOM_SOAK_MINUTES=5: shorter)
	$(PYTEST) -q -s -m soak --timeout 86400 tests

shots: install ## Take pictures of the console's pages into .shots/
	$(BIN)/python tests/e2e/shots.py .shots

lock: | $(BIN)/uv ## Pin the requirements anew, with hashes (U=1: take newer versions)
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --extra mail --extra sources-postgres --group dev \
	  --generate-hashes --no-emit-index-url --universal --python-version 3.11 $(if $(U),--upgrade) \
	  --quiet --output-file requirements/dev.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile requirements/node.in --generate-hashes \
	  --no-emit-index-url --universal --python-version 3.11 $(if $(U),--upgrade) --quiet --output-file requirements/node.txt
	for adapter in duckdb postgres; do for python in 3.11 3.12 3.13; do \
	  $(BIN)/uv pip compile requirements/dbt-$$adapter.in --python-version $$python --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header $(if $(U),--upgrade) --quiet \
	    --output-file src/controlroom/worker/dbt/requirements/1.11/$$adapter-$$python.txt || exit 1; done; done
	$(BIN)/uv pip compile requirements/source-package.in --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header $(if $(U),--upgrade) --quiet \
	  --output-file src/controlroom/sources/package/robot/requirements.txt

coverage-table: install ## Write the tables of docs/dialects/ that tell what is served
	$(BIN)/python tests/contract/robocorp/coverage.py
	$(BIN)/python tests/contract/automation360/coverage.py
	$(BIN)/python tests/contract/dbt_cloud/coverage.py
	$(BIN)/python tests/sources/documents.py

state-diagrams: install ## Draw the states of the domain into docs/domain/, from the rules
	$(BIN)/python tests/state_diagrams.py

wheel: install ## Build the wheels into dist/, and try them: installed in a clean folder a room starts from them and answers
	rm -f dist/controlroom-*.whl dist/controlroom_*.whl
	for each in . $(LIBRARIES); do \
	  $(BIN)/uv build --quiet --wheel --python $(BIN)/python --no-build-isolation --out-dir dist $$each || exit 1; done
	WHEEL="$$(ls $(CURDIR)/dist/controlroom-*.whl)" $(PYTEST) -q --timeout 900 tests/e2e/test_wheel.py
	@ls dist/controlroom*.whl

upgrade: install ## Bring a room of an earlier commit to this one, while it runs and by backup (FROM=tag or commit)
	@test -n "$(FROM)" || { echo "From where? make upgrade FROM=v0.2.0"; exit 1; }
	FROM="$(FROM)" $(PYTEST) -q --timeout 900 tests/e2e/test_upgrade.py

clean: ## Remove what the commands above made, .venv excepted
	rm -rf dist build assets/node_modules src/controlroom/ui/static $(dir $(WRITTEN)) .demo .bench .shots .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
