# What a developer runs; plain `make` lists it. Every target makes the environment that it needs,
# works as often as you like, and installs again only when the native core or the build changed:
# Python sources are used where they lie.

.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?=# picked by tools/find_python.sh; or say e.g. make test PYTHON=python3.12
VENV ?= .venv
ARGS ?=# handed on, e.g. make test ARGS='-k datetime -x'
SECONDS_EACH ?= 60# for make fuzz
WORKERS ?= 2# processes that run the tests; 0 for one that --pdb and -s can speak to

ASAN_VENV := $(VENV)-asan
BIN := $(VENV)/bin
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
ASAN := $(ASAN_VENV)/.installed
PEERS_VENV := $(VENV)-peers
PEERS := $(PEERS_VENV)/.installed
SOURCES := pyproject.toml CMakeLists.txt $(wildcard src/mason/_core/*)
TOGETHER = -W error -n $(WORKERS) --dist worksteal
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
WERROR := --config-settings=cmake.define.MASON_WERROR=$(if $(MASON_WERROR),ON,OFF)

help: ## list the targets
	@echo 'usage: make TARGET [ARGS=…] [PYTHON=python3.12]'
	@echo
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r target text; do printf '%-16s %s\n' "$$target" "$$text"; done

demo: $(RUN) ## see mason at work on this machine's own installed packages
	@$(BIN)/python examples/demo.py $(ARGS)

test: $(DEV) ## run the whole suite, with ruff, mypy and import-linter in it
	@$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

# What stands on the public functions alone (pages, comparisons, diffs) cannot tell which API the core uses.
fallback: $(DEV) ## run the suite without CPython's internals (the public C API only)
	@MASON_PUBLIC_API=1 $(BIN)/python -m pytest $(TOGETHER) -m 'not lint' --ignore-glob='tests/test_page*' \
	  --ignore-glob='tests/test_compare*' --ignore-glob='tests/test_diff*' --ignore=tests/test_view.py $(ARGS)

lint: $(DEV) ## only look at the source: ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV) ## let ruff format the source and put right what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) ## measure against json, pickle, orjson, msgspec and others
	@$(BIN)/python -m benchmarks $(ARGS)

comparison: $(PEERS) ## measure docs/comparison.md anew, beside all peers
	@$(PEERS_VENV)/bin/python -W error tools/make_comparison.py $(ARGS)

peers: $(PEERS) ## run the tests that need all peers of mason compare
	@$(PEERS_VENV)/bin/python -m pytest $(TOGETHER) tests/test_compare_peers.py tests/docs/test_comparison.py $(ARGS)

# The libraries go in first because python itself is not built with the sanitizer; plain malloc for
# Python's objects, or it would not see into them. Below, pytest leaves file descriptor 2 alone (and
# signals, too), or the sanitizer's report would be lost.
ASAN_RUN = env \
  LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)" \
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
  PYTHONMALLOC=malloc

asan: $(ASAN) ## run the suite on a core built with AddressSanitizer and UBSan (needs g++)
	@$(ASAN_RUN) $(ASAN_VENV)/bin/python -m pytest $(TOGETHER) -p no:faulthandler --capture sys --timeout 900 \
	  --hypothesis-profile quick -m 'not lint and not uninstrumented' $(ARGS)

leaks: $(DEV) ## repeat dumps, loads and refusals and watch objects, references and memory
	@$(BIN)/python tools/leaks.py $(ARGS)

fuzz: $(ASAN) ## throw mutated input at every reader, under the sanitizers
	@set -e; for target in fuzz/fuzz_*.py; do \
	  echo "== $$target"; \
	  $(ASAN_RUN) $(ASAN_VENV)/bin/python $$target --seconds $(SECONDS_EACH) $(ARGS); \
	done

package: ## build the wheel as `pip install .` does, look into it, and try it in an empty environment
	@python=$$(sh tools/find_python.sh $(PYTHON)) && $$python tools/check_package.py

clean: ## remove environments, builds and caches
	rm -rf $(VENV) $(ASAN_VENV) $(PEERS_VENV) build dist .pytest_cache .mypy_cache .ruff_cache \
	  .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- environments -----------------------------------------------------------------------------------

$(VENV)/pyvenv.cfg $(ASAN_VENV)/pyvenv.cfg $(PEERS_VENV)/pyvenv.cfg:
	@python=$$(sh tools/find_python.sh $(PYTHON)) && \
	  echo "making $(@D) with $$($$python -VV)" && $$python -m venv --clear $(@D)

# $(call install,VENV,EXTRAS,SETTINGS): build without isolation and in a directory that stays, so that a
# change to one C++ file compiles one C++ file. `make package` is the isolated build.
define install
	@echo "installing mason[$(2)] into $(1); the first time takes a minute or two"
	@$(1)/bin/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))\
	  ['build-system']['requires'], 'cmake>=3.26', 'ninja', sep='\n')" > $(1)/build-requires.txt
	@$(1)/bin/python $(PIP_INSTALL) -r $(1)/build-requires.txt
	@$(1)/bin/python $(PIP_INSTALL) --no-build-isolation $(3) \
	  --config-settings=build-dir=build/$(notdir $(1)) -e '.[$(2)]'
endef

$(RUN): $(VENV)/pyvenv.cfg $(SOURCES)
	$(call install,$(VENV),all,$(WERROR))
	@touch $@

$(DEV): $(VENV)/pyvenv.cfg $(SOURCES)
	$(call install,$(VENV),dev,$(WERROR))
	@touch $(RUN) $@

$(ASAN): $(ASAN_VENV)/pyvenv.cfg $(SOURCES)
	$(call install,$(ASAN_VENV),dev,--config-settings=cmake.define.MASON_SANITIZE=address$(comma)undefined \
	  --config-settings=install.strip=false --config-settings=cmake.define.CMAKE_CXX_COMPILER=$(CXX))
	@touch $@

$(PEERS): $(PEERS_VENV)/pyvenv.cfg $(SOURCES)
	$(call install,$(PEERS_VENV),dev$(comma)peers,$(WERROR))
	@touch $@

comma := ,

.PHONY: help demo test fallback lint format bench comparison peers asan leaks fuzz package clean
