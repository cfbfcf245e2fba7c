# Everything a person needs: `make demo` and `make test`. Both set up what they need, pinned, in .venv.
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.13 python3.10; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,10) <= sys.version_info[:2] <= (3,13))' 2>/dev/null \
	&& echo $$p && break; done)
PYTHON310 ?= $(shell for p in python3.10 $(HOME)/.pyenv/versions/3.10.*/bin/python3.10; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3,10))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
VENV310 := .venv310
VENV_TENSORRT := .venv-tensorrt
VENV_TRAIN := .venv-train
BIN := $(VENV)/bin
TOGETHER := --dist loadfile --no-loadscope-reorder
READY := $(VENV)/.ready-run
READY_DEV := $(VENV)/.ready-dev
READY_310 := $(VENV310)/.ready
READY_TENSORRT := $(VENV_TENSORRT)/.ready
READY_TRAIN := $(VENV_TRAIN)/.ready

# Hundreds of processes start in the tests: each would translate all it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-here test-robot tensorrt test-train check bench soak whole conformance mutate format lock clean help docs picture

help:               ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | expand -t 12

demo: $(READY)      ## open the console on a robot that runs on this machine (ARGS="--faults" for the tour)
	@$(BIN)/fieldgate demo $(ARGS)

test: check         ## format, lint, types, import contracts, then every test; the robot's half on Python 3.10 too
	@$(MAKE) --no-print-directory -j2 --output-sync=target test-here test-robot

# The tests wait for real processes more than they calculate: 4 + 2 of them at once keep two cores busy. `+`: what it says
# is shown while it runs; the robot's half says its own in one piece at its end.
test-here: $(READY_DEV)
	+@$(BIN)/python -m pytest -n 4 $(TOGETHER) $(ARGS)

test-robot:         ## the robot's half on Python 3.10, JetPack 6's, where that interpreter is found
ifeq ($(PYTHON310),)
	@echo "no Python 3.10 here: the robot's tests run only on $$($(BIN)/python -V)" >&2
else
	@$(MAKE) --no-print-directory $(READY_310)
	$(VENV310)/bin/python -m pytest tests/remote -n 2 $(TOGETHER) $(ARGS)
endif

test-train: $(READY_TRAIN) ## the tests of models/ that need torch and Stable-Baselines3, in .venv-train (some gigabytes)
	$(VENV_TRAIN)/bin/python -m pytest tests/remote/models $(ARGS)

tensorrt: $(READY_TENSORRT) ## engines built with NVIDIA's own parser and builder, without a GPU, in .venv-tensorrt
	$(VENV_TENSORRT)/bin/python -m pytest tests/tensorrt $(ARGS)

check: $(READY_DEV) ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

whole: $(READY_DEV) ## the whole path over a real sshd: deploy, real photographs, 50 link cuts, the tours of docs/
	$(BIN)/python -m pytest tests/whole -m "whole or tour" --timeout 1800 $(ARGS)

bench: $(READY_DEV) ## the measured goals, as tables of ratios taken in one run
	$(BIN)/python -m bench $(ARGS)

soak: $(READY_DEV)  ## eight hours of data at accelerated time, five minutes over a bad network, an hour of kills and cuts
	$(BIN)/python -m bench.soak_screen
	$(BIN)/python -m bench.soak_link --seconds 300
	$(BIN)/python -m bench.soak_running --minutes 60

conformance: $(READY_DEV) ## the public suite for TUF clients against ours (CONFORMANCE=its checkout, theupdateframework/tuf-conformance)
	@test -d "$(CONFORMANCE)/tuf_conformance" || { echo "give its checkout: make conformance CONFORMANCE=folder" >&2; exit 2; }
	cd "$(CONFORMANCE)" && PYTHONPATH=. $(abspath $(BIN))/python -m pytest tuf_conformance -q -p no:cacheprovider \
	--entrypoint "$(abspath $(BIN))/fieldgate-agent tuf" $(ARGS)

mutate: $(READY_DEV) ## invert each comparison of probes and criteria: a test must notice (ARGS="live" for some)
	$(BIN)/python -m bench.mutate $(ARGS)

format: $(READY_DEV) ## write the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY_DEV)  ## write the generated pages of docs/
	$(BIN)/python -m docs.generate

picture: $(READY)   ## write docs/screen.svg, checklist.svg, field.svg, failures.svg and models.svg from the running demo
	$(BIN)/fieldgate demo --picture docs/screen.svg
	@sh docs/picture.sh $(BIN) docs/checklist.svg
	@sh docs/field_picture.sh $(BIN) docs/field.svg
	@sh docs/failures_picture.sh $(BIN) docs/failures.svg
	@sh docs/models_picture.sh $(BIN) docs/models.svg

$(READY): requirements/run.txt pyproject.toml
	@bash requirements/prepare.sh "$(PYTHON)" $(VENV) requirements/run.txt
	@touch $@

$(READY_DEV): requirements/dev.txt pyproject.toml
	@bash requirements/prepare.sh "$(PYTHON)" $(VENV) requirements/dev.txt openssh-server openssh-client
	@touch $@ $(READY)

$(READY_310): requirements/robot-test.txt pyproject.toml
	@bash requirements/prepare.sh "$(PYTHON310)" $(VENV310) requirements/robot-test.txt
	@touch $@

$(READY_TRAIN): requirements/train.txt   # Python 3.11 or newer: what is pinned there needs it
	@"$(PYTHON)" -m venv $(VENV_TRAIN)
	$(VENV_TRAIN)/bin/python -m pip install --disable-pip-version-check -q -r requirements/train.txt
	@touch $@

$(READY_TENSORRT): requirements/tensorrt.txt requirements/tensorrt-bindings.txt requirements/robot-test.txt pyproject.toml
	@bash requirements/prepare_tensorrt.sh "$(PYTHON)" $(VENV_TENSORRT)
	@touch $@

UV_COMPILE = uv pip compile -q --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header pyproject.toml
lock:               ## pin again (needs uv)
	$(UV_COMPILE) --extra console --extra robot --extra optimise --extra score -o requirements/run.txt
	$(UV_COMPILE) --extra console --extra robot --extra optimise --extra score --extra test --extra dev -c requirements/run.txt -o requirements/dev.txt
	$(UV_COMPILE) --extra robot -c requirements/run.txt -o requirements/robot.txt
	$(UV_COMPILE) --extra robot --extra score --extra test -c requirements/dev.txt -o requirements/robot-test.txt

clean:              ## remove what make made
	rm -rf $(VENV) $(VENV310) $(VENV_TENSORRT) $(VENV_TRAIN) .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build
