# Two environments: .venv runs the inspector, .venv-dev also trains and tests. Both are made on use.
PYTHON ?= python3
SECONDS_ARG = $(if $(DURATION),--seconds $(DURATION))

# SEED repeats a run, SHARE=0.03 injects 3 % of each long count, ONLY=kill takes one fault.
FAULTS = $(if $(SEED),--seed $(SEED)) $(if $(SHARE),--share $(SHARE)) $(if $(ONLY),--only '$(ONLY)')

# Other packages ask for opencv-python, whose windows need libGL: the headless build of the same
# version replaces it, so that a machine without a screen trains too.
define HEADLESS
.venv-dev/bin/pip uninstall --quiet --yes opencv-python opencv-python-headless
.venv-dev/bin/pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt opencv-python-headless
endef

.PHONY: demo test test-systemd faults coverage format metrology bench-peers screenshots schemas wheelhouse constraints clean

demo: .venv/ready  ## The whole factory on this machine; DURATION=20 ends it by itself
	.venv/bin/inspector demo $(SECONDS_ARG)

test: .venv-dev/ready  ## Everything: lint, types, tests
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy
	.venv-dev/bin/python -m pytest

test-systemd: .venv-dev/ready  ## Installed and run under a real systemd, in a container of this machine; needs root
	.venv-dev/bin/python -m pytest tests/systemd

faults: .venv-dev/ready  ## Every fault in its long form; writes the table in docs/reliability.md
	.venv-dev/bin/python -m tests.faults $(FAULTS)

coverage: .venv-dev/ready  ## All branches of measure, decide, sight and outbox are taken by their tests
	.venv-dev/bin/coverage run -m pytest -q tests/test_measure*.py tests/test_decide*.py tests/test_sight.py tests/record
	.venv-dev/bin/coverage report

format: .venv-dev/ready  ## Make the code look as `make test` wants it
	.venv-dev/bin/ruff check --fix .
	.venv-dev/bin/ruff format .

metrology: .venv-dev/ready  ## How true lengths are: tables and a picture in report/
	.venv-dev/bin/python -m training metrology --out report

bench-peers: .venv-dev/peers  ## The edge beside other libraries, on an idle machine; writes the tables in docs/performance.md
	.venv-dev/bin/python -m training bench $(if $(ONLY),--only $(ONLY))

screenshots: .venv-dev/ready  ## The pictures of the page in docs/, with the Chromium of this machine
	.venv-dev/bin/python -m tests.browser.screenshots docs

schemas: .venv-dev/ready  ## Write the JSON Schemas of the messages
	.venv-dev/bin/python -m inspector.publish.schema

# For a line PC with the same kind of processor and the same Python 3.x as this machine.
wheelhouse:  ## All that a line PC needs, as one folder to carry there
	rm -rf dist/inspector
	mkdir -p dist/inspector
	cp -r deploy/. LICENSE dist/inspector
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check -c constraints.txt -w dist/inspector/wheelhouse .

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo]'
	touch $@

.venv-dev/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-dev
	.venv-dev/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,training,dev]'
	$(HEADLESS)
	touch $@

.venv-dev/peers: .venv-dev/ready
	.venv-dev/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[peers]'
	$(HEADLESS)
	touch $@

constraints: .venv-dev/ready  ## Pin what is installed now
	.venv-dev/bin/pip freeze --exclude-editable \
	| sed 's/^\(opencv-python\)-headless\(==.*\)/&\n\1\2/' | sort > constraints.txt

clean:
	rm -rf .venv .venv-dev
