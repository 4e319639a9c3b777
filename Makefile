# Training needs Python 3.10 to 3.13 and make, nothing else; the demo needs Node.js 20.19
# or newer besides, and its tests and the APK what mobile_demo/install installs.

PYTHON ?= python3
ARGS ?=
PORT ?= 8000
RUN ?=
HTTPS ?=
BIN := .venv/bin
WEB := mobile_demo/web
APK := $(WEB)/build/rvsm_tf-demo.apk
LOCKS := tools project
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet
LOCKED := --require-hashes --no-build-isolation -r requirements/project.lock
LOCK = $(BIN)/uv pip compile --quiet --generate-hashes --custom-compile-command "make lock" $(ARGS)

.PHONY: train demo apk docs test coverage test-slow test-all test-web test-arm test-install \
	test-lanes lint lock audit clean

train: .venv/installed
	$(BIN)/python -m pipelines.train $(ARGS)

# RUN is a folder that pipelines.train wrote; without one, the committed network.
demo: $(WEB)/node_modules/installed $(if $(RUN),.venv/installed)
	@$(if $(RUN),$(BIN)/python -m export.convert $(RUN) --output $(WEB)/build/model)
	@MODEL=$(if $(RUN),build/model) npm --prefix $(WEB) --silent run build
	@echo
	@echo "on this machine:  http://localhost:$(PORT)/"
	@echo "on a tablet:      connect it by cable, 'adb reverse tcp:$(PORT) tcp:$(PORT)'," \
		"then http://localhost:$(PORT)/ there too"
	@echo "without a cable:  'make demo HTTPS=1', then https://<this machine>:$(PORT)/;" \
		"the tablet warns of the certificate once, and keeps nothing offline"
	@echo
	@HTTPS=$(HTTPS) PORT=$(PORT) npm --prefix $(WEB) --silent run serve

apk: $(WEB)/node_modules/installed
	@npm --prefix $(WEB) --silent run build
	@mobile_demo/android/build $(WEB)/dist $(APK)
	@echo "the app: $(APK)"

# The library's reference, pages that need no network; the pages about it are in docs/.
docs: .venv/installed
	@TF_CPP_MIN_LOG_LEVEL=3 PDOC_ALLOW_EXEC=1 $(BIN)/pdoc rvsm_tf --docformat google \
		--template-directory docs/reference --output-directory build/docs
	@echo "the library's reference: build/docs/index.html"

# Every claim once: what has to pass before a commit. A file's tests stay in one process,
# as they share what is trained for them.
test: .venv/installed
	$(PYTEST) -m "not slow" $(ARGS)

# The same, counting the lines that are run, which takes longer.
coverage: .venv/installed
	@$(MAKE) --no-print-directory test ARGS="--cov --cov-report="
	@echo "coverage: $$($(BIN)/coverage report --format=total) % of the lines"

# What takes longer: kills at random moments, damaged files, clusters, other backends and
# processors, many random networks.
test-slow: .venv/installed
	$(PYTEST) -m slow $(ARGS)

test-all: test test-slow test-web test-arm test-install test-lanes

# The web app in a browser; a machine without one says so and goes on.
test-web: .venv/installed
	@if ! command -v npm >/dev/null || ! command -v chromium >/dev/null; then \
		echo "make test-web: SKIPPED, it needs Node.js and Chromium"; \
	elif ! $(MAKE) --no-print-directory $(WEB)/node_modules/installed; then \
		echo "make test-web: SKIPPED, its packages could not be installed"; \
	else \
		$(BIN)/python -m mobile_demo.web.tests.make_vectors && \
		npm --prefix $(WEB) --silent run lint && \
		npm --prefix $(WEB) --silent run build && \
		{ ! mobile_demo/android/build --fetch || mobile_demo/android/build $(WEB)/dist $(APK); } && \
		npm --prefix $(WEB) --silent test && \
		npm --prefix $(WEB) --silent run test:browser; \
	fi

# Exported files on the runtime's ARM build, emulated; needs apt-get and the network.
test-arm: .venv/installed
	tests/arm/run $(ARGS)

# The wheel in empty environments, with one backend each; needs the package index.
test-install: .venv/installed
	tests/install/run $(ARGS)

# The library's core on the oldest Keras and the newest; needs the package index.
test-lanes: .venv/installed
	tests/lanes/run

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Rebuilt when a dependency changes; a failed install leaves no stamp behind. Only what
# the lock files name gets in, and only with the hashes they name; what builds the few
# packages that come as sources is installed first. uv is much faster than pip, but
# knows nothing of an index that pip's own settings name, and leaves it to the first
# import to compile modules: where Python may not write files, that is every import.
.venv/installed: setup.cfg pyproject.toml $(LOCKS:%=requirements/%.lock)
	$(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements/tools.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(LOCKED) || \
		$(PIP) $(LOCKED)
	PYTHONWARNINGS=ignore $(PIP) --no-index --no-deps --no-build-isolation --editable .
	touch $@

# The lock files anew, for all Pythons and processors, after setup.cfg has changed. What is
# locked stays as it is where it can; ARGS=--upgrade moves all to the newest.
lock: .venv/installed
	$(LOCK) --universal --python-version 3.10 requirements/tools.in -o requirements/tools.lock
	$(LOCK) --universal --python-version 3.10 --extra test --extra lint --extra docs setup.cfg \
		-c requirements/tools.lock -c requirements/bounds.in -o requirements/project.lock
	sed -nE 's/^ +((numpy|ai-edge-litert)[<>=].*)/\1/p' setup.cfg | \
		$(LOCK) --python-version 3.13 --python-platform aarch64-manylinux_2_28 - \
		-c requirements/project.lock -o requirements/arm.lock

# What is known against the locked versions; asks services on the network. SECURITY.md
# says what was found, and why some of it does not apply.
audit: .venv/installed $(WEB)/node_modules/installed
	$(BIN)/pip-audit --strict --disable-pip --require-hashes $(LOCKS:%=-r requirements/%.lock) $(ARGS)
	npm --prefix $(WEB) audit

$(WEB)/node_modules/installed: $(WEB)/package.json $(WEB)/package-lock.json
	@command -v npm >/dev/null || { echo "Error: no npm: install Node.js 20.19 or newer" >&2; exit 2; }
	npm --prefix $(WEB) ci --no-audit --no-fund --silent
	touch $@

clean:
	rm -rf .venv .cache build *.egg-info
	rm -rf $(WEB)/node_modules $(WEB)/dist $(WEB)/build $(WEB)/public/litert $(WEB)/public/model
