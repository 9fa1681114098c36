# `make help` lists what there is. Every target sets up what it needs.
PYTEST := .venv/bin/python -m pytest
FAST := tests/unit tests/functional
.DEFAULT_GOAL := help
.PHONY: help bench-artifact bench-reuse bench-runner bench-serving setup demo rebuild-check bare-check test test-fast test-slow lint format mutants reference bench-startup bench-noop bench-odd lock wheel clean
# What setup has to see to, before it makes anything.
NEEDS :=
demo rebuild-check bench-artifact bench-reuse bench-noop bench-serving: NEEDS := sandbox
test test-slow: NEEDS := sandbox tests
test-fast: NEEDS := tests

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup:  ## make .venv from the pinned requirements
	@scripts/setup $(NEEDS)

demo: setup  ## a real model, from clarifai.yaml to predictions, on this machine
	@.venv/bin/python scripts/demo.py

rebuild-check: setup  ## prove that builds are the same anywhere, and that verify finds one changed byte
	@.venv/bin/python scripts/rebuild_check.py

bare-check: setup  ## run demo and test on a bare Debian, as a user without root (wants root, to make it; half an hour)
	@scripts/bare_machine

test: setup lint  ## everything: static checks, then the whole suite on real engines
	$(PYTEST) -m "not slow" -n auto --dist loadfile

test-fast: setup  ## the tests that start no server, side by side
	$(PYTEST) -m "not slow" -n auto $(FAST)

test-slow: setup  ## gigabytes and minutes
	$(PYTEST) -m slow

bench-artifact: setup  ## packing and publishing, against their limits (minutes, 20 GB of disk)
	@.venv/bin/python benchmarks/artifact.py

lint: setup  ## ruff, formatting, mypy, and which package may import which
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/mypy benchmarks/*.py
	@.venv/bin/lint-imports --no-logo

format: setup  ## format the code and sort imports
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

mutants: setup  ## count the small changes of the code that the tests without engines notice (minutes)
	@.venv/bin/python scripts/mutants.py --seed $(or $(SEED),1) --each $(or $(EACH),20) \
	  --at-least $(or $(AT_LEAST),0) $(MODULES) $(if $(TESTS),--tests $(TESTS))

reference: setup  ## write from the code: reference pages, and lists of model types in schema and template
	@.venv/bin/python scripts/model_types_reference.py
	@.venv/bin/python scripts/commands_reference.py
	@.venv/bin/python scripts/manifest_reference.py

bench-startup: setup  ## how long the tool takes to start, against its limits and its peers
	@.venv/bin/python benchmarks/startup.py

bench-odd: setup  ## validate manifests of a megabyte that are none, against limits of time and memory
	@.venv/bin/python benchmarks/odd_manifests.py

bench-noop: setup  ## an apply with nothing to do, against its limits
	@.venv/bin/python benchmarks/noop.py

bench-reuse: setup  ## what moves when little is new, over a slow link, against its limits (minutes)
	@.venv/bin/python benchmarks/reuse.py

lock: setup  ## pin the requirements of development and tests anew
	@.venv/bin/uv pip compile --quiet pyproject.toml requirements/dev.in --universal --python-version 3.10 \
	  --generate-hashes --no-emit-index-url --no-header -o requirements/dev.txt
	@.venv/bin/uv pip compile --quiet requirements/runner.in --universal --python-version 3.10 \
	  --generate-hashes --no-emit-index-url --no-header -o requirements/runner.txt

wheel: setup  ## build dist/*.whl
	@.venv/bin/python -m build --wheel --no-isolation --outdir dist . >/dev/null && ls dist/*.whl

bench-serving: setup  ## the runtime against hand-written models, in a real Triton
	@.venv/bin/python benchmarks/serving.py

bench-runner: setup  ## merging in a runner model against a lock, and what an answer costs beside the SDK
	@.venv/bin/python benchmarks/runner.py

clean:  ## remove what was built here
	rm -rf dist build demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis .mutants
