# Everything a newcomer needs. `make help` lists the targets; each does its own set-up.
# Needs Python 3.11+ (with venv) and make, nothing else.

PORT ?= 8080
DATA ?= data/demo
VILLAGES ?= 12
ONLY ?=
SECONDS ?= 150
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
CODE := kampungnet agents/kampungnet_agent agents/kampungnet_sim dashboards tests

# Through the environment, so that the tool which builds our package is pinned too (newer pip reads the second name).
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH

.PHONY: help demo test check format bench fuzz devices dashboards metrics pictures wheel sbom constraints clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(VENV)/demo.stamp ## a whole regency on this machine: server, simulated villages, agents (PORT= DATA= VILLAGES=)
	@exec $(BIN)/kampungnet demo --port $(PORT) --data "$(DATA)" --villages $(VILLAGES)

test: $(VENV)/dev.stamp ## all tests, two at a time (ARGS= goes to pytest: ARGS='-k spool')
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp $(VENV)/ansible.stamp ## style, format, types, import contracts, house rules, translations; runs them all, then says
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy $(CODE) || status=1; \
	$(BIN)/lint-imports --no-logo || status=1; \
	$(BIN)/python -m pytest -q tests/architecture tests/ansible/test_lint.py || status=1; \
	exit $$status

format: $(VENV)/dev.stamp ## put the code into the house format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/dev.stamp ## the benchmarks (one by ONLY=name; LONG=1: ten times as many faults)
	@exec $(BIN)/python -m tests.benchmarks $(ONLY)

fuzz: $(VENV)/dev.stamp $(VENV)/fuzz.stamp ## atheris looks for bytes that break a decoder (ONLY=name; SECONDS= in all; ARGS=--keep: add what reached new code)
	@exec $(BIN)/python -m tests.fuzz --only "$(ONLY)" --seconds $(SECONDS) $(ARGS)

devices: $(VENV)/dev.stamp ## replay every recording, then write what was proved into docs/devices.md
	@KAMPUNGNET_WRITE_PROVED=1 $(BIN)/python -m pytest -q tests/conformance
	@$(BIN)/python -m tests.conformance.devices_page

dashboards: $(VENV)/dev.stamp ## write the boards for Grafana (ARGS= as in docs/grafana.md)
	@exec $(BIN)/python -m dashboards.grafana.build $(ARGS)

metrics: $(VENV)/dev.stamp ## write docs/metrics.md from the catalogue and the recording rules
	@$(BIN)/python -m tests.metrics.metrics_page

pictures: $(VENV)/dev.stamp ## take the pictures of the guides from a demo with Chromium, and print the operator's guide
	@exec $(BIN)/python -m tests.guides.pictures $(ARGS)

wheel: $(VENV)/dev.stamp ## wheel and sdist into dist/, the same bytes from the same commit
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build -d dist

sbom: $(VENV)/dev.stamp ## write dist/kampungnet.cdx.json: what is in an installation, with licences (CycloneDX)
	@$(BIN)/python -m tests.packaged.sbom

constraints: ## pin anew every version we install, from a clean environment
	@$(call find_python,.cache/constraints)
	@echo "Resolving the newest versions that pyproject.toml allows ..."
	@PIP_CONSTRAINT= PIP_BUILD_CONSTRAINT= .cache/constraints/bin/python -m pip install -qq '.[agent,agent-ssh,server,demo,dev,ansible,fuzz]' hatchling editables
	@{ echo "# Every version we install, for all extras and the build. Made by 'make constraints'; do not edit."; \
	   .cache/constraints/bin/python -m pip freeze --all | grep '==' | grep -vE '^(kampungnet|pip|setuptools)[= ]' | LC_ALL=C sort -f; } > constraints.new
	@mv constraints.new constraints.txt && rm -rf .cache/constraints

clean: ## remove the environment and what tools left; keeps data/
	@rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call find_python,FOLDER): makes a virtual environment with the first Python that is new enough.
define find_python
	set -e; old=""; found=""; \
	for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	  $$python -c 'import ensurepip, venv' >/dev/null 2>&1 && { found=$$python; break; } || old=$$python; \
	done; \
	if [ -z "$$found" ] && [ -n "$$old" ]; then \
	  echo "$$old has no venv module: install it (on Debian and Ubuntu: apt install python3-venv) and try again." >&2; exit 1; fi; \
	if [ -z "$$found" ]; then \
	  echo "KampungNet needs Python 3.11 or newer, and none was found: install it, or name one with PYTHON=/path/to/python." >&2; exit 1; fi; \
	rm -rf $(1); $$found -m venv $(1)
endef

$(BIN)/python:
	@echo "Preparing a Python environment in $(VENV) ..."
	@$(call find_python,$(VENV))

# One stamp for each set of extras: the second start installs nothing. The code itself is used in place.
$(VENV)/%.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@printf 'Installing what "%s" needs (the first time this takes about a minute) ' "$*"; \
	$(BIN)/python -m pip install -qq -e '.[$*]' & pip=$$!; \
	trap 'kill $$pip; wait $$pip; exit 130' INT TERM; \
	while kill -0 $$pip 2>/dev/null; do sleep 1; printf .; done; \
	wait $$pip; code=$$?; echo; exit $$code
	@touch $@
