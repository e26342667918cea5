# Everything runs in .venv, with the versions of requirements.lock.
PYTHON ?= python3
PYTEST_ARGS ?= -n auto --dist loadgroup
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: install demo test test-slow lint bench train clean

install: $(INSTALLED)

# setuptools is among the locked versions: building needs nothing from the network.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "hail-mri needs Python 3.11 or newer: make PYTHON=python3.11"'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: install
	$(BIN)/python -m hail_mri.apps.demo

# One thread a worker: the workers share the cores already. A marker in PYTEST_ARGS counts instead of the one here.
test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-slow: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Goes on from the released weights for MINUTES, all included, and writes new ones to RUN only if validation got better.
# A run that was stopped goes on when this is called again; one that is finished says so, and another folder goes on from
# its weights: make train INIT=runs/first/tissues.safetensors RUN=runs/second
LABEL_MAPS ?= $(error LABEL_MAPS is the folder of label maps to learn from: make train LABEL_MAPS=DIR)
RUN ?= runs/train
MINUTES ?= 60
INIT ?= compact
train: install
	$(BIN)/hail-mri train tissues --config configs/compact.toml --label-maps $(LABEL_MAPS) -o $(RUN) --init $(INIT) \
		--minutes $(MINUTES) $(if $(wildcard $(RUN)/tissues/last.ckpt),--resume)

bench: install
	$(BIN)/python benchmarks/speed.py

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find src -maxdepth 1 -name '*.egg-info' -exec rm -rf {} +
