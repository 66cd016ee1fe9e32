# make lab     set up what is missing and open the first notebook in JupyterLab
# make test    set up what is missing, then test the helpers and every notebook
# make test-browser   test the attention views in Chromium, which must be there
# make run     run all notebooks without a browser and store their outputs
#
# For those who change the course:
# make sync    rewrite the code shown in the notebooks from helpers/
# make badges  write the repository's address, which stands in pyproject.toml, everywhere else
# make lint    the linter, and what can be checked in the notebooks without running them
# make bench   measure time and memory of every notebook, and the tokenizer against the library
# make data    fetch the data into data/cache/
# make clean   remove the environment (the data stays)
#
# Each target is a line that can be typed by hand; the README lists them for Windows.

PYTHON ?= python3
# Anything more for pip, for example PyTorch's CPU builds on Linux without a GPU:
# make lab PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=

PY := .venv/bin/python

.PHONY: lab test test-browser run sync badges lint bench data clean
.DELETE_ON_ERROR:

lab: data
	$(PY) -m jupyterlab notebooks/00_start_here.ipynb

test: data
	$(PY) -m pytest

test-browser: data .venv/.installed-dev
	$(PY) -m pytest tests/browser

run: data
	$(PY) scripts/dev/run_notebooks.py

bench: data
	$(PY) benchmarks/notebooks.py
	$(PY) benchmarks/wordpiece.py

data: .venv/.installed
	$(PY) -m helpers.data

sync: .venv/.installed
	$(PY) scripts/dev/sync_cells.py

badges: .venv/.installed
	$(PY) scripts/dev/badges.py

lint: .venv/.installed-dev
	$(PY) -m ruff check .
	$(PY) scripts/dev/badges.py --check
	$(PY) scripts/dev/sync_cells.py --check
	$(PY) scripts/dev/check_notebooks.py

clean:
	rm -rf .venv

# The stamp files keep make from installing twice; they are made last, so a broken install starts again.
.venv/.installed: requirements.txt constraints.txt | .venv/bin/python
	$(PY) -m pip install $(PIP_ARGS) -r requirements.txt -c constraints.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	$(PY) -m pip install $(PIP_ARGS) -r requirements-dev.txt -c constraints.txt
	@touch $@

.venv/bin/python:
	@command -v "$(PYTHON)" >/dev/null || \
	  { echo "There is no program called $(PYTHON): install Python 3.11 or newer, or name yours: make lab PYTHON=/path/to/python3."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "The course needs Python 3.11 or newer and $(PYTHON) is older: name a newer one: make lab PYTHON=python3.12."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python lacks its venv module: on Debian or Ubuntu run: sudo apt install python3-venv"; exit 1; }
	"$(PYTHON)" -m venv .venv
