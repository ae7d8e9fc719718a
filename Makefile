# make demo: explain BM25 and MiniLM on the embedded collection.  make serve: the search page on it.
# make test: run the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo serve test test-fast coverage lint docs links benchmarks benchmarks-once clean

demo: $(VENV)/.demo
	$(BIN)/intentx demo --html intentx-demo.html

serve: $(VENV)/.serve
	$(BIN)/intentx serve

# By file, and those that share a server together (tests/conftest.py): what they use is made once. In
# the order of the files, since by default those of few tests come last, which are the long ones;
# doctests, which are short, end it.
# Processes that tests start find the modules compiled, also where the environment says not to keep them.
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
test: $(VENV)/.dev
	$(PYTEST)

# The rooms that everything stands on, without transformers and browsers, and the guards: what a new
# method, metric or ranker has to be listed in.
GUARDS := tests/test_layers.py tests/test_public_names.py tests/test_site.py tests/test_dependencies.py \
	tests/explainers/test_methods.py tests/explainers/test_every_setting.py tests/explainers/test_contract.py \
	tests/evaluation/test_metrics.py tests/cli/test_explain_refusals.py tests/rankers/test_ranker_spec.py
FAST := tests/capabilities tests/coverage tests/datasets tests/preferences tests/search tests/text $(GUARDS)
test-fast: $(VENV)/.dev
	$(PYTEST) -p no:schemathesis -m "not slow" $(FAST)

coverage: $(VENV)/.dev
	$(PYTEST) --cov --cov-report=term:skip-covered

docs: $(VENV)/.docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -q -W --keep-going -c docs -b html . site/html

# Asks every site that a page links to.
links: $(VENV)/.docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -q --keep-going -c docs -b linkcheck . site/links

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

benchmarks: $(VENV)/.bench
	cd benchmarks && for script in selection solvers scale fidelity cache overhead planted exs_time completeness \
		gradcam_study faithfulness plausibility studies counting search architectures words known \
		verdicts; do \
		../$(BIN)/python $$script.py --out results || exit 1; done

# Whether each benchmark still runs, as small as it goes.
benchmarks-once: $(VENV)/.bench
	$(BIN)/python benchmarks/once.py

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# The constraints name a CPU build of torch where one is at hand: its default brings CUDA along.
$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[demo]"
	touch $@

$(VENV)/.serve: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[demo,serve]"
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

# With the packages that some benchmarks compare with.
$(VENV)/.bench: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev,bench-estimators]"
	touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[all,docs]"
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis site
