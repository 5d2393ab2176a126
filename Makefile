# Every task of the project. `make help` lists them.
#
# Three sets of packages, from hash-locked files, all in .venv: what serving needs (no TensorFlow), that and what
# reports need, and everything. A stamp in .venv says what is installed; a changed lock file renews it.

PYTHON ?= python3
HOST   ?= 127.0.0.1
PORT   ?= 8866
ARGS   ?=

VENV   := .venv
RUN    := $(VENV)/bin/python
PIP    := $(RUN) -m pip --disable-pip-version-check --quiet
UV     := $(VENV)/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
          --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

# Packages that others name as theirs, and that serving never imports: for debugging and completing code in notebooks,
# for JupyterLab and the classic notebook; and setuptools, which hatch-vcs has for other projects.
UNUSED := debugpy jedi parso jupyterlab-widgets widgetsnbextension setuptools
NAMES  := sed -n 's/^\([a-z0-9-]*\)==.*/\1/p'

# Some people have pip install for their user alone, which it cannot do in an environment.
export PIP_USER := 0
# A clone that was moved or copied: the programs in .venv name the folder where they were made.
MOVED := $(shell test ! -e $(VENV)/pyvenv.cfg || grep -qF " $$(pwd -P)/$(VENV)" $(VENV)/pyvenv.cfg || \
           { rm -f $(VENV)/.serving $(VENV)/.everything; echo yes; })

.DEFAULT_GOAL := help
.PHONY: help app lab data train report test fuzz mutation bench lint audit lock frontend messages reference screenshots clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

app: $(VENV)/.serving ## Serve the apps on http://127.0.0.1:8866 (HOST=, PORT=, ARGS="--base-url /pets")
	@$(RUN) -m catsdogs serve --host $(HOST) --port $(PORT) $(ARGS)

lab: $(VENV)/.everything ## Open JupyterLab on the notebooks
	@$(RUN) -m jupyter lab --notebook-dir=notebooks $(ARGS)

data: $(VENV)/.serving ## Fetch 25,000 photos to train on, from Microsoft (787 MB)
	@$(RUN) -m catsdogs data fetch $(ARGS)

train: $(if $(FOLDER),$(VENV)/.everything) ## Train a model: make train FOLDER=photos (holding cat/ and dog/)
	@test -n "$(FOLDER)" || { echo "Say where the photos are: make train FOLDER=photos (a folder that holds cat/ and dog/)."; exit 1; }
	@$(RUN) -m catsdogs train "$(FOLDER)" $(ARGS)

report: $(VENV)/.reporting ## Write the dated report (ARGS="--lang fr --out DIR")
	@$(RUN) -m catsdogs report $(ARGS)

# Three processes share the test modules, because most tests wait; each computes with one thread, as threads that wait for
# one another take the processor from other tests. ARGS="-n 0" runs all tests in one process.
test: export OMP_NUM_THREADS := 1
test: export OPENBLAS_NUM_THREADS := 1
test: export TF_NUM_INTRAOP_THREADS := 1
test: export TF_NUM_INTEROP_THREADS := 1
test: $(VENV)/.everything ## Run all tests; those in browsers where they are found (ARGS="-k name"; ARGS=--cov for coverage)
	@$(RUN) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: $(VENV)/.everything ## Try to break the decoders of photos, for a minute (ARGS="--seconds 600 --images FOLDER")
	@$(RUN) -m tests.fuzz $(ARGS)

mutation: $(VENV)/.everything ## Change the code at random; do its tests notice? (ARGS="records --sample 40")
	@env -u VIRTUAL_ENV $(VENV)/bin/uv run --quiet --no-project --with mutmut==3.8.1 python -m tests.mutation $(ARGS)

bench: $(VENV)/.everything $(VENV)/rivals/.installed ## Measure speed and memory, as ratios in one run
	@$(RUN) -m tests.benchmarks $(ARGS)

lint: $(VENV)/.everything ## Check style, types, layers, workflows, the Dockerfile, and that notebooks hold no outputs
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/hadolint catsdogs/server/deploy/Dockerfile
	@$(VENV)/bin/actionlint
	@$(VENV)/bin/zizmor --quiet --offline --no-progress .github
	@$(VENV)/bin/nbstripout --verify --keep-id notebooks/*/*.ipynb

audit: $(VENV)/.everything ## Ask PyPI for known vulnerabilities of the locked packages
	@$(RUN) -c 'import urllib.request; urllib.request.urlopen("https://pypi.org/pypi/pip/json", timeout=30)' 2>/dev/null || \
	  { echo "PyPI cannot be asked for vulnerabilities from here: https://pypi.org/pypi/pip/json does not answer."; exit 1; }
	@$(VENV)/bin/uvx --quiet pip-audit@2.10.1 --strict --disable-pip --require-hashes \
	  $(addprefix --requirement ,$(filter-out requirements-rivals.lock,$(wildcard requirements*.lock)))

lock: $(VENV)/.everything ## Renew the lock files (hashes, no index addresses) and environment.yml
	@$(UV) --upgrade --extra build $(addprefix --no-emit-package ,$(UNUSED)) --output-file requirements.lock
	@$(UV) --upgrade --extra report --constraint requirements.lock --output-file requirements-report.lock \
	  $(addprefix --no-emit-package ,$(UNUSED)) $$($(NAMES) requirements.lock | sed 's/^/--no-emit-package /')
	@$(UV) --upgrade $(addprefix --extra ,build lab report train cluster test bench dev) --constraint requirements.lock \
	  --output-file requirements-dev.lock
	@$(UV) --upgrade --extra rivals --output-file requirements-rivals.lock
	@$(RUN) -m tests.conda_environment

frontend: ## Build the front end of the pages from its source (needs node and npm)
	@cd catsdogs/server/front_end && npm ci --ignore-scripts --no-audit --no-fund && npm run build

messages: $(VENV)/.everything ## Bring new texts into the catalogues of catsdogs/locale
	@$(RUN) -m tests.messages

reference: $(VENV)/.everything ## Write .github/docs: settings, commands and REST API, from the code
	@$(RUN) -m tests.reference

screenshots: $(VENV)/.everything ## Take the README's screenshots from the running apps
	@$(RUN) -m tests.screenshots

clean: ## Delete the environment and caches; keeps data/ and .env
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find catsdogs tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.serving: requirements.lock pyproject.toml
	@$(call install,requirements.lock)
$(VENV)/.everything: requirements-dev.lock pyproject.toml
	@$(call install,requirements-dev.lock)
	@touch $(VENV)/.serving $(VENV)/.reporting

$(VENV)/.reporting: $(VENV)/.serving requirements-report.lock
	@$(PIP) install --no-deps --require-hashes --requirement requirements-report.lock
	@touch $@

# Gradio and Streamlit ask for older packages than we do.
$(VENV)/rivals/.installed: requirements-rivals.lock | $(VENV)/.everything
	@echo "Installing from $<: once, a minute or two ..."
	@$(RUN) -m venv --clear $(VENV)/rivals
	@$(VENV)/rivals/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes --requirement $<
	@touch $@

# Makes .venv where there is none that works, then installs $(1) and the package into it: by the pip of $(1), which takes
# a third of the time of an older one, and with all processors where files are compiled.
define install
	command -v $(PYTHON) >/dev/null || \
	  { echo "catsdogs needs Python 3.11 or later. Install it, or say where it is: make PYTHON=/path/to/python3"; exit 1; }; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "catsdogs needs Python 3.11 or later; this one is $$($(PYTHON) -V). Say where another is: make PYTHON=/path/to/python3"; exit 1; }; \
	test -w . || { echo "This folder cannot be written to: $$PWD. Clone catsdogs into one that can."; exit 1; }; \
	test -z "$(MOVED)" || echo "This folder was moved or copied: its environment is made again."; \
	{ test -z "$(MOVED)" && $(RUN) -m pip --version >/dev/null 2>&1; } || $(PYTHON) -m venv --clear $(VENV) >$(VENV).log 2>&1 || \
	  { rm -rf $(VENV) $(VENV).log; echo "Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }; \
	rm -f $(VENV).log; \
	echo "Installing from $(1): once, a minute or two ..."; \
	sed -n '/^pip==/,/[^\\]$$/p' $(1) | $(PIP) install --no-deps --require-hashes --requirement /dev/stdin && \
	$(PIP) install --no-compile --no-deps --require-hashes --requirement $(1) && \
	$(PIP) install --no-deps --no-build-isolation --editable . || \
	  { echo "The packages could not be installed; the lines above say why. Check the connection and run make again."; exit 1; }; \
	$(RUN) -m compileall -qq -j 0 $(VENV)/lib >/dev/null || true; \
	touch $@
endef
