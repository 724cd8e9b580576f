# Two commands on a fresh machine: `make run`, `make test`. Everything goes into .venv.
#
#   make run      install and start the bot (make run ARGS="--config street.yaml")
#   make install  install only
#   make test     install what the tests need and run them (make test ARGS="tests/handlers -x")
#   make check    linters, types, layers
#   make bench    measure (see benchmarks/README.md)
#   make train    fit the classifier's model to its corpus;  make evaluate  its figures
#   make lock     resolve the pinned versions (make lock ARGS=--upgrade for the newest ones)
#   make clean    remove .venv and caches
#
# PYTHON names the interpreter that .venv is made with: make PYTHON=python3.12 run

PYTHON ?= python3
ARGS ?=
# Test processes: two cores are common, and each file stays in one process.
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet
# Old pip reads the first for packages that it builds, new pip the second.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help install run test check format bench train evaluate lock clean

help:
	@sed -n 's/^#   //p' Makefile

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@scripts/prepare venv
	$(PIP) pip
	$(PIP) --editable .
	@touch $@

# The extras come on top of the installed program, each when it is first wanted.
$(VENV)/.installed-%: $(VENV)/.installed
	$(PIP) --editable ".[$*]"
	@touch $@

run: install
	@$(BIN)/gridbot run $(ARGS)

test: $(VENV)/.installed-test
	@scripts/prepare browser
	@$(BIN)/python -c "from tests.gateways.node_install import install; install()"
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/.installed-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-check
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks $(ARGS)

train: $(VENV)/.installed-train
	$(BIN)/python -m classifiers.learn $(ARGS)

evaluate: $(VENV)/.installed-train
	$(BIN)/gridbot evaluate $(ARGS)

lock: $(VENV)/.installed-lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--all-extras --group build --no-emit-index-url --no-emit-find-links --no-annotate \
		--output-file constraints.txt pyproject.toml $(ARGS)

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
