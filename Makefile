# Everything a newcomer needs. `make help` lists the targets; each does its own set-up.
# Needs Python 3.11+ (with venv) and make, nothing else.

PORT ?= 8080
DATA ?= data/demo
VILLAGES ?= 12
ONLY ?=
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

.PHONY: help demo test check format bench devices dashboards metrics constraints clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(VENV)/demo.stamp ## a whole regency on this machine: server, simulated villages, agents (PORT= DATA= VILLAGES=)
	@exec $(BIN)/kampungnet demo --port $(PORT) --data "$(DATA)" --villages $(VILLAGES)

test: $(VENV)/dev.stamp ## all tests, two at a time (ARGS= goes to pytest: ARGS='-k spool')
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp ## style, format, types, import contracts, house rules, translations; runs them all, then says
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy $(CODE) || status=1; \
	$(BIN)/lint-imports --no-logo || status=1; \
	$(BIN)/python -m pytest -q tests/architecture || status=1; \
	exit $$status

format: $(VENV)/dev.stamp ## put the code into the house format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/dev.stamp ## the benchmarks (one by ONLY=name)
	@exec $(BIN)/python -m tests.benchmarks $(ONLY)

devices: $(VENV)/dev.stamp ## replay every recording, then write what was proved into docs/devices.md
	@KAMPUNGNET_WRITE_PROVED=1 $(BIN)/python -m pytest -q tests/conformance
	@$(BIN)/python -m tests.conformance.devices_page

dashboards: $(VENV)/dev.stamp ## write the boards for Grafana (ARGS= as in docs/grafana.md)
	@exec $(BIN)/python -m dashboards.grafana.build $(ARGS)

metrics: $(VENV)/dev.stamp ## write docs/metrics.md from the catalogue and the recording rules
	@$(BIN)/python -m tests.metrics.metrics_page
