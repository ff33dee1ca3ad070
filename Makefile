# make run   everything on a fresh machine: the environment, then the default experiment
# make test  the environment, then the tests
# make check lint, format, types
# make docs does the tutorials and writes site/, the documentation, to be read from disk
# make corpus compares what the native engine gives with what it gave, some minutes
# make bench the benchmarks against other tools, about 40 minutes; writes benchmarks/
# make scale what a chunk costs here and on Slurm, about fifteen minutes; writes docs/scale.md
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORES ?= all
BENCH := .venv-bench
BENCH_OPTIONS ?=
DOCS_OPTIONS ?=
SLOW ?= tests

.PHONY: run test test-slow test-slurm docs corpus scale check format bench lock clean

run: $(READY)
	$(BIN)/snakemake --cores $(CORES)

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# SLOW names files; all of it takes about three quarters of an hour on two cores.
test-slow: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m slow $(SLOW)

# On a Slurm of one node that the tests start: root, and Debian's slurm-wlm and munge.
test-slurm: $(READY)
	$(BIN)/python -m pytest -m slurm tests/workflow/test_slurm.py

# What has not changed since a tutorial was done is not done again; DOCS_OPTIONS=--all does all.
docs: $(READY)
	$(BIN)/python -m tests.support.done_pages $(DOCS_OPTIONS)
	$(BIN)/python -m mkdocs build

corpus: $(READY)
	$(BIN)/python -m tests.corpus

scale: $(READY)
	$(BIN)/python -m benchmarks.scale plan rate local
	$(BIN)/python -m tests.support.slurm_cluster $(BIN)/python -m benchmarks.scale empty slurm report

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n0 tests/project/test_dependencies.py tests/project/test_circles.py
	$(BIN)/snakefmt --check Snakefile workflow/rules examples
	$(BIN)/snakemake --lint

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow/rules examples

bench: $(BENCH)/.ready
	$(BENCH)/bin/python -m benchmarks.run $(BENCH_OPTIONS)
	$(BENCH)/bin/python -m benchmarks.speed
	-$(BENCH)/bin/python -m benchmarks.since

$(BENCH)/.ready: $(READY) benchmarks/environment.py
	$(BIN)/python benchmarks/environment.py $(BENCH)
	touch $(BENCH)/.ready

# One hashed file for Python 3.11 to 3.13, development tools included.
lock: $(READY)
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --extra dev --no-header --no-emit-index-url --output-file requirements.lock pyproject.toml

# A marker, so that an interrupted installation is taken up again.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("odeflow needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

clean:
	rm -rf $(VENV) $(BENCH) .snakemake .pytest_cache .ruff_cache .hypothesis
