# Every target prepares what it needs. Prerequisites: git and make.
PY := .venv/bin/python
HISTORIES := 5000
BENCHES := search start resume fetch memory hub
HAS_DISPLAY := $(or $(DISPLAY),$(WAYLAND_DISPLAY))

.PHONY: help setup run test quick lint screenshots demo bench torture clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 14

setup: ## system packages (with root or sudo), .venv, words, demo school
	@sh packaging/bootstrap.sh

run: setup ## the app with its demo school; without a display a scripted day and its report
ifneq ($(HAS_DISPLAY),)
	@$(PY) main.py --demo
else
	@$(PY) main.py demo --report build/report
endif

test: setup ## everything CI checks
	@$(PY) -m tests.check

quick: setup ## linters, unit and contract tests
	@$(PY) -m tests.check --quick

lint: setup ## formatting, linters, types, import contracts, words
	@$(PY) -m tests.check --lint

screenshots: setup ## all screens and states into screenshots/
	@QT_QPA_PLATFORM=$${QT_QPA_PLATFORM:-offscreen} $(PY) main.py --screenshots screenshots

demo: setup ## a scripted school day; screenshots and report in build/report
	@$(PY) main.py demo --report build/report

bench: setup ## all figures into build/bench/*.json; `make bench BENCHES=search` for one
	@mkdir -p build/bench
	@for name in $(BENCHES); do \
	    $(PY) main.py --json bench $$name >build/bench/$$name.json || exit $$?; \
	    echo "bench: build/bench/$$name.json"; done

torture: setup ## 5,000 histories of the simulator, then its faulty variants; build/torture.json
	@mkdir -p build
	@$(PY) -m tests.torture --histories $(HISTORIES) --json >build/torture.json; \
	    code=$$?; cat build/torture.json; exit $$code

clean: ## remove what was built, except .venv
	@rm -rf build dist screenshots report htmlcov .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
