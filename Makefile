# make serve      run the bundled server over Maven Central and Docker Hub (FILE=server.toml for your own)
# make test       every check and every test; the end-to-end part needs root and what .ci/run installs
# make check      style, types, import walls, known vulnerabilities
# make test-unit  tests that need nothing but Python
# make bench      the benchmarks, against nginx and, for images, docker-registry and drayage

FILE ?=
BENCH ?= --quick
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

SERVE := .venv/bin
TEST := .venv-test/bin

.PHONY: serve test check test-unit test-e2e bench clean

serve: .venv/installed
	exec $(SERVE)/virtreg serve $(FILE)

test: check test-unit test-e2e

check: .venv-test/installed
	$(TEST)/ruff check .
	$(TEST)/ruff format --check .
	$(TEST)/mypy
	$(TEST)/lint-imports
	$(TEST)/pyright --pythonpath $(TEST)/python
	$(TEST)/python .ci/audit.py

test-unit: .venv-test/installed
	$(TEST)/pytest -m "not e2e"

test-e2e: .venv-test/installed
	$(TEST)/pytest -m e2e

# There is no drayage for some machines: it is then left out.
bench: .venv-test/installed
	-$(TEST)/python -m pip install --quiet --only-binary :all: --group bench
	$(TEST)/python -m benchmarks $(BENCH)

clean:
	rm -rf .venv .venv-test

.venv/installed: REQUIREMENTS = --editable '.[server,s3]'
.venv-test/installed: REQUIREMENTS = --editable '.[server,s3,tracing]' --group test --group check

# The pip that comes with Python 3.11 knows no dependency groups, and its setuptools has known
# vulnerabilities.
.venv/installed .venv-test/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "virtreg needs Python 3.11 or later, and none was found; PYTHON=/path/to/python3 names one" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade pip setuptools
	$(@D)/bin/python -m pip install --quiet $(REQUIREMENTS)
	@touch $@
