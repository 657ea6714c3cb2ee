# `make demo` and `make test` are all the set-up there is: each makes what it needs from a clean clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help demo test faults check bench clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

$(VENV)/core.done: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q -e . --config-settings editable_mode=compat
	@touch $@

# torch first: what depends on it would otherwise bring several GB of CUDA along
$(VENV)/dev.done: pyproject.toml $(VENV)/core.done
	$(BIN)/python -m pip install -q torch==2.13.0
	$(BIN)/python -m pip install -q -e '.[dev]' --config-settings editable_mode=compat
	@touch $@

demo: $(VENV)/core.done ## install the core, run the main job on the small set in fixtures/
	$(BIN)/datatools run pipelines/detection.yaml --set root=fixtures/voc
	@echo
	@echo 'The results lie in work/detection: the clean set with its lists in fixed/, report.html, anchors.json, anchors.svg'

test: $(VENV)/dev.done ## install all that the tests need, run them
	$(BIN)/python -m pytest -n 2 --dist loadgroup -q

faults: $(VENV)/dev.done ## the long form of the fault campaign: some hours
	FAULT_ROUNDS=200 $(BIN)/python -m pytest -n 2 -q tests/faults

check: $(VENV)/dev.done ## lint, types, layers
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

.venv-peers/done: benchmarks/peers.txt benchmarks/peers-alone.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install -q --upgrade pip
	.venv-peers/bin/python -m pip install -q -r benchmarks/peers.txt
	.venv-peers/bin/python -m pip install -q --no-deps -r benchmarks/peers-alone.txt
	@touch $@

bench: $(VENV)/dev.done .venv-peers/done ## measure every job against its peers, in one run each
	$(BIN)/python benchmarks/all.py

clean: ## remove what was made here: environments, results, caches
	rm -rf $(VENV) .venv-peers work .datatools build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
