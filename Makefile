# Two commands on a fresh machine 两条命令: `make run` and `make test`. Needed beforehand: Python >= 3.11, make.
# Everything else comes from uv.lock and the package-lock files: uv into .tools/, Node as a wheel into .venv/.

PYTHON ?= python3
UV_VERSION := 0.13.9
WORKERS ?= 2

UV = $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.tools/bin/uv)
BIN := $(CURDIR)/.venv/bin
# The wheel's node and npm before the system's; never another Python fetched from elsewhere.
export PATH := $(BIN):$(PATH)
export UV_PYTHON_DOWNLOADS := never
# Every process that a test starts would compile the city anew.
unexport PYTHONDONTWRITEBYTECODE
export npm_config_audit := false
export npm_config_fund := false
export npm_config_update_notifier := false

PYTEST = $(BIN)/pytest -q
# What auditors and courts read leaves no branch untried; these tests and the docstrings' examples see to it.
PURE := tests/unit tests/property tests/books
DOCTESTS = --doctest-modules --ignore=app/migrations/env.py ledger methodologies app
# Python files that are not as they were committed; the types of all of them are `make types`.
TYPED := $(foreach folder,app ledger methodologies tests benchmarks,'$(folder)/*.py')
CHANGED = { git diff --name-only --diff-filter=d HEAD -- $(TYPED); git ls-files -o --exclude-standard $(TYPED); }
gate = @printf '\n\033[1m→ %s\033[0m\n' "$(1)"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

##### set-up 安装

.PHONY: setup
setup: .venv/.synced contracts/node_modules/.synced web/node_modules/.synced ## install what the lock files name, nothing twice

.tools/bin/uv:
	@echo "→ uv $(UV_VERSION) into .tools/"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python >= 3.11 is needed; $(PYTHON) is older: make PYTHON=python3.11 …  需要 Python 3.11 以上"; exit 1; }
	@mkdir -p .tools/bin
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	  $(PYTHON) -m venv .tools/uv && .tools/uv/bin/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION); \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  $(PYTHON) -m pip install -q --disable-pip-version-check --target .tools/uv uv==$(UV_VERSION); \
	else echo "This Python can install nothing: apt-get install python3-venv, or put uv on the PATH.  缺少 python3-venv"; exit 1; fi
	@ln -sf ../uv/bin/uv $@

.venv/.synced: pyproject.toml uv.lock
	@case "$(UV)" in */.tools/bin/uv) $(MAKE) --no-print-directory .tools/bin/uv;; esac
	@echo "→ Python packages 安装 Python 依赖 (uv.lock)"
	@$(UV) sync --quiet --all-extras --all-groups --locked
	@touch $@

%/node_modules/.synced: %/package-lock.json .venv/.synced
	@echo "→ npm packages of $*/ 安装 $* 依赖 (package-lock.json)"
	@cd $* && npm ci --loglevel=error
	@touch $@

##### run 运行

.PHONY: run
run: setup ## install, start everything, load the demo city, keep serving
	@$(BIN)/tanpu up --demo

##### gates 门禁: `quick` while writing, `test` before pushing

.PHONY: quick
quick: setup format lint imports rules ## what takes seconds: the unit tests, and beside them the types of what changed (< 30 s)
	@$(CHANGED) | xargs -r $(BIN)/basedpyright & types=$$!; $(PYTEST) tests/unit; unit=$$?; wait $$types && exit $$unit

.PHONY: test
test: setup format lint imports rules types deps words docs-check contracts-check web-check pure pytest ## every gate, as in CI (< 40 min)

.PHONY: format lint imports rules types deps words docs-check contracts-check web-check pure pytest
format: ; $(call gate,ruff format 排版)
	@$(BIN)/ruff format --check

lint: ; $(call gate,ruff check 静态检查)
	@$(BIN)/ruff check

imports: ; $(call gate,import-linter 依赖方向)
	@$(BIN)/lint-imports

rules: ; $(call gate,ast-grep 家规)
	@$(BIN)/ast-grep scan --error=unused-suppression
	@$(BIN)/ast-grep test

types: ; $(call gate,basedpyright 类型)
	@$(BIN)/basedpyright

deps: ; $(call gate,deptry and lock files 依赖)
	@$(BIN)/deptry .
	@$(UV) lock --check --quiet

words: ; $(call gate,codespell 拼写)
	@$(BIN)/codespell

docs-check: ; $(call gate,documents equal the code 文档即代码)
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/python docs/describe.py --check
	@$(BIN)/python docs/marathon.py --check

contracts-check: ; $(call gate,contracts: format, forge tests, committed artifacts 合约)
	@cd contracts && npm run --silent fmt:check && npm test --silent && npm run --silent compile
	@git diff --exit-code --stat -- app/chain_artifacts || \
	  { echo "the committed artifacts are not what the sources compile to: make contracts"; exit 1; }
	@cd contracts && npm run --silent slither

web-check: ; $(call gate,web: types and tests 网页)
	@cd web && npm run --silent check && npm test --silent

pure: ; $(call gate,pytest: the pure packages to the last branch, every example 纯函数核心与示例)
	@$(PYTEST) -n $(WORKERS) $(DOCTESTS) $(PURE) \
	  --cov=ledger --cov=methodologies --cov-branch --cov-report= --cov-fail-under=100

pytest: ; $(call gate,pytest: everything else 其余测试)
	@$(PYTEST) -n $(WORKERS) $(PURE:%=--ignore=%)

##### regenerate 重新生成

.PHONY: fix
fix: setup ## let ruff format and repair what it can
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

.PHONY: docs
docs: setup ## write the generated documents anew
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/describe.py

.PHONY: contracts
contracts: setup ## compile the contracts into app/chain_artifacts
	@cd contracts && npm run --silent compile

##### slow 慢速目标: by night, never in CI's budget

.PHONY: bench
bench: setup ## measure, each figure beside its floor (ARGS=…)
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: kills
kills: setup ## hundreds of kill -9 instead of a few (KILLS=200)
	@TANPU_KILLS=$(or $(KILLS),200) $(BIN)/pytest -q --timeout 7200 tests/embedded/test_recovery.py tests/fault

.PHONY: model
model: setup ## long runs of the property and model tests (RUNS=50000), and of forge's fuzzers
	@TANPU_MODEL_RUNS=$(or $(RUNS),50000) $(BIN)/pytest -q -n $(WORKERS) --timeout 7200 tests/property
	@cd contracts && npm run --silent test:slow

.PHONY: attack
attack: setup ## sqlmap on every free text of the API, further than the gate goes
	@TANPU_SQLMAP="--level=3 --risk=2 --technique=BEUSTQ" $(BIN)/pytest -q -n $(WORKERS) --timeout 7200 tests/web/test_sqlmap.py

.PHONY: scale
scale: setup ## growth of cost with 100 million rows in place
	@$(BIN)/python -m benchmarks --scale $(ARGS)

.PHONY: clean
clean: ## remove what can be installed again; never the data in .tanpu/
	@rm -rf .venv .tools contracts/node_modules web/node_modules contracts/out contracts/cache .pytest_cache .ruff_cache
