# Every target installs what it needs. A fresh clone only needs Python >= 3.11.

PYTHON ?= python3
PORT ?= 8787
STATE ?= .wrangler/state

RUN := .venv/bin/python -m
PREPARE := @$(PYTHON) tools/prepare.py

# Compiled modules are kept outside src/, which `make dev` watches. Without them, each process of the
# tests compiles all again, which takes a quarter of their time.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache

.DEFAULT_GOAL := help
.PHONY: help prepare dev event smtp test test-all mutate lint format typecheck settings-table \
	bench bench-long deploy-check deploy secret lock clean

help: ## Show this list
	@echo "Targets (make PYTHON=python3.12 TARGET picks another Python):"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1@\2/p' $(MAKEFILE_LIST) | \
		while IFS=@ read -r name text; do printf '%-15s %s\n' "  $$name" "$$text"; done

prepare: ## Install tools, packages and the local engine (other targets do this when needed)
	$(PREPARE)

dev: ## Run the Worker locally (defaults: PORT=8787 STATE=.wrangler/state)
	$(PREPARE)
	@PORT="$(PORT)" STATE="$(STATE)" PYTHONPATH=src exec $(RUN) tools.dev

event: ## Let a delivery event arrive at `make dev`: ID=... KIND=bounced, optionally TO=...
	$(PREPARE)
	@STATE="$(STATE)" PYTHONPATH=src $(RUN) tools.event "$(ID)" "$(KIND)" "$(TO)"

smtp: ## Run the SMTP relay (defaults: SMTP_PORT=8025 API_URL=http://localhost:8787)
	$(PREPARE)
	@exec $(RUN) smtp_relay

# Many tests wait for a server or a timer, so three processes are useful even with fewer cores.
test: lint typecheck ## Lint, check types, and run all but the slow tests
	@$(RUN) pytest -n 3 --no-loadscope-reorder -m "not slow"

# A test that measures a time runs alone, after the others.
test-all: lint typecheck ## Lint, check types, and run all tests (half an hour)
	@$(RUN) pytest -n 3 --no-loadscope-reorder --ignore tests/console/test_speed.py
	@$(RUN) pytest tests/console/test_speed.py

mutate: ## Change the code in many ways and see whether a test fails; set ONLY=, SAMPLE= and JOBS=2
	$(PREPARE)
	@$(RUN) tools.mutation --jobs $(or $(JOBS),2) $(if $(SAMPLE),--sample $(SAMPLE)) $(ONLY)

lint: ## Check style and formatting
	$(PREPARE)
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@.venv/bin/node node_modules/@biomejs/biome/bin/biome lint --error-on-warnings console

format: ## Format the code and apply the linter's automatic fixes
	$(PREPARE)
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

typecheck: ## Check types
	$(PREPARE)
	@$(RUN) mypy
	@.venv/bin/node node_modules/typescript/bin/tsc --project console

settings-table: ## Regenerate the tables of settings in docs/configuration.md
	$(PREPARE)
	@PYTHONPATH=src $(RUN) tools.settings_table

bench: ## Run the benchmarks (a few minutes)
	$(PREPARE)
	@$(RUN) tools.bench

bench-long: ## Run the benchmarks with longer measurements
	$(PREPARE)
	@$(RUN) tools.bench --long

deploy-check: ## Build the upload and check its size, without uploading it
	$(PREPARE)
	@$(RUN) tools.deploy_check

deploy: ## Deploy to your Cloudflare account; create the database, queue and secret if missing
	$(PREPARE)
	@PYTHONPATH=src $(RUN) tools.deploy

secret: ## Print a random secret for JWT_SECRET
	@$(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(48))'

lock: ## Regenerate the pinned requirements from requirements/*.in
	$(PREPARE)
	@$(RUN) tools.lock

clean: ## Remove generated files, except .dev.vars and the local database
	@rm -rf .venv node_modules python_modules public/assets public/guides public/scalar build *.egg-info
	@rm -f public/openapi.json public/docs.html
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find src smtp_relay tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
