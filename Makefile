# Everything below needs Python 3.10 to 3.13 and make, nothing else.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.PHONY: train test test-arm lint clean

train: .venv/installed
	$(BIN)/python -m pipelines.train $(ARGS)

test: .venv/installed
	$(BIN)/python -m pytest $(ARGS)

# Exported files on the runtime's ARM build, emulated; needs apt-get and the network.
test-arm: .venv/installed
	tests/arm/run $(ARGS)

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Rebuilt when a dependency changes; a failed install leaves no stamp behind.
.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	touch $@

clean:
	rm -rf .venv .cache build *.egg-info
