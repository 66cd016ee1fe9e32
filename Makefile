# make lab     set up what is missing and open the first notebook in JupyterLab
# make test    set up what is missing, then test the helpers and every notebook
# make test PART=attention   one module, one room of helpers/ or one notebook, with what belongs to it
# make run     run all notebooks without a browser and store their outputs
#
# For those who change the course (what to type by hand stands behind, "python" being that of .venv):
# make sync    rewrite the code shown in the notebooks from helpers/: python scripts/dev/sync_cells.py
# make badges  write the address in pyproject.toml everywhere else:   python scripts/dev/badges.py
# make lint    the linter, and what is seen in notebooks without running them: python -m ruff check . and
#              scripts/dev/badges.py --check, scripts/dev/sync_cells.py --check, scripts/dev/check_notebooks.py,
#              and python -m pytest -n 0 --stored -m stored tests: the notebooks as they are stored, unsolved
# make solutions     the notebooks with all solutions of their exercises: python -m pytest --solutions notebooks
# make site    the course as web pages to read, in build/site/:       python scripts/site/build.py
# make test-browser   the attention views and the web pages in Chromium, which must be there:
#                                                         python -m pytest -n 0 tests/browser
# make bench   time and memory of every notebook, the tokenizer:      python benchmarks/notebooks.py, wordpiece.py
# make data    fetch the data of the notebooks into data/cache/:      python -m helpers.data
#              (make test: all data, 445 MB more)                      python -m helpers.data all
# make clean   remove the environment (the data stays)
# make help    these lines
#
# lint, site and test-browser need: python -m pip install -r requirements-dev.txt -c constraints.txt

PYTHON ?= python3
# Anything more for pip, for example PyTorch's CPU builds on Linux without a GPU:
# make lab PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=
# What `make test` tests: everything, or one part.
PART ?=

PY := .venv/bin/python

.PHONY: lab test test-browser site run sync badges lint bench data solutions clean help
.DELETE_ON_ERROR:

lab: data
	$(PY) -m jupyterlab --ServerApp.root_dir=. notebooks/00_start_here.ipynb

test: .venv/.installed
	$(PY) -m helpers.data all
	$(PY) -m pytest $(if $(PART),--part $(PART))

solutions: data
	$(PY) -m pytest --solutions notebooks

test-browser: data .venv/.installed-dev
	$(PY) -m pytest -n 0 tests/browser

site: .venv/.installed-dev
	$(PY) scripts/site/build.py

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
	$(PY) -m pytest -q -n 0 --stored -m stored tests

clean:
	rm -rf .venv

help:
	@sed -n '/^$$/q;s/^# \{0,1\}//p' Makefile

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
