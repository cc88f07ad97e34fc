# Each target sets up what it needs, from the locks (hashes, no addresses), into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet install --require-hashes

.PHONY: setup demo test check format bench lock clean

setup: .venv/.runtime  ## what it takes to run: leaves .venv/bin/kybdesk
demo: setup            ## the whole product on a throwaway database, with an invented VOVE
	$(BIN)/kybdesk demo
test: .venv/.dev       ## every test, in a real browser too
	@sh tests/browser/install-chromium.sh
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses auto --dist worksteal
check: .venv/.dev      ## format, lint, strict types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
bench: .venv/.dev      ## durable ingest beside what one would use instead
	$(BIN)/python -m benchmarks.ingest

LOCK := .venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	--no-header --only-binary pysqlite3 --emit-build-options --extra build
lock: .venv/.dev       ## renew both locks from pyproject.toml
	$(BIN)/pip --quiet install uv
	$(LOCK) pyproject.toml --output-file requirements.lock
	$(LOCK) --extra dev pyproject.toml --output-file requirements-dev.lock

.venv/.runtime: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) --requirement requirements.lock
	$(BIN)/pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $@
.venv/.dev: .venv/.runtime requirements-dev.lock
	$(PIP) --requirement requirements-dev.lock
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
