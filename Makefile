# Everything that is called by hand or by a machine. `make help` lists it.
# The first `make run` or `make test` sets up what is missing; later ones start at once.

PYTHON ?= python3
# `=` and not `?=`: a PROJECT that happens to be in the environment is not ours.
PROJECT = $(or $(PWD),.)
export PYTHON PROJECT

PY := .venv/bin/python

# The set-up is done again when what it follows from has changed. Content counts, not the
# time of a file: a fresh checkout must not look changed, an edit must not look old.
KEY := $(shell { cat pyproject.toml constraints.txt scripts/*.sh; pwd; echo '$(CMAKE_ARGS)'; } | cksum | cut -d' ' -f1)
READY := .venv/.ready-$(KEY)
READY_DEV := .venv/.ready-dev-$(KEY)

.DEFAULT_GOAL := help
.PHONY: help run test lint models bench package package-twice package-smoke translations constraints clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'A Python other than python3:     make run PYTHON=python3.12'
	@echo 'An engine for a graphics card:   CMAKE_ARGS="-DGGML_CUDA=ON" make run   (kept from then on)'
	@echo 'A small torch on Linux: let PIP_EXTRA_INDEX_URL name the index of PyTorch'"'"'s CPU builds.'

run: $(READY) models ## open the window on this folder, or on another: make run PROJECT=path
	@$(PY) -m commonplace window "$$PROJECT"

test: export QT_QPA_PLATFORM = offscreen
test: lint models ## all checks and all tests; needs no screen
	$(PY) -m pytest

lint: $(READY_DEV) ## style, types and the direction of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

models: $(READY) ## fetch the starter models into models/ (180 MB, once)
	@$(PY) scripts/starter_models.py

bench: export QT_QPA_PLATFORM = offscreen
bench: $(READY_DEV) models ## print figures: speed, memory, quality
	$(PY) -m bench

translations: $(READY_DEV) ## collect the texts of the window into the catalogues, and compile them
	@$(PY) scripts/translations.py

package: $(READY) models ## make the packages for Linux in build/packages/: .deb and .run, of the last commit
	$(PY) packaging/make.py build

package-twice: $(READY) models ## make them twice and compare the checksums
	$(PY) packaging/make.py twice

# As root, since it makes a clean Debian; the network is used for that alone, once.
package-smoke: ## try what is in build/packages in a clean Debian without network (minutes; for each release)
	$(PY) packaging/smoke/smoke.py build/packages

constraints: $(READY) ## pin the newest versions that pyproject.toml allows
	$(PY) scripts/constraints.py

clean: ## remove what can be made again; models and compiled wheels stay
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# What the tests need includes what a run needs, so the second marks both as done.
$(READY):
	@scripts/system.sh
	@scripts/venv.sh
	@rm -f .venv/.ready-* && touch $@

$(READY_DEV):
	@scripts/system.sh
	@scripts/venv.sh dev
	@rm -f .venv/.ready-* && touch $@ $(READY)

# Never two set-ups of one environment at the same time.
.NOTPARALLEL:
