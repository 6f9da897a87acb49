# Every target sets up what it needs, so a fresh clone needs Python >= 3.11 and nothing else.

PYTHON ?= python3
PORT ?= 8787
STATE ?= .wrangler/state

RUN := .venv/bin/python -m
PREPARE := @$(PYTHON) tools/prepare.py

.DEFAULT_GOAL := help
.PHONY: help prepare dev smtp test test-all lint format typecheck openapi settings-table \
	bench bench-long deploy-check deploy secret lock clean

help: ## Show this list
	@echo "Targets (make PYTHON=python3.12 TARGET picks another Python):"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1@\2/p' $(MAKEFILE_LIST) | \
		while IFS=@ read -r name text; do printf '%-15s %s\n' "  $$name" "$$text"; done

prepare: ## Set up tools, packages and the local engine (the other targets do it themselves)
	$(PREPARE)

dev: ## Run the worker locally; PORT=8787 and STATE=.wrangler/state can be changed
	$(PREPARE)
	@PORT="$(PORT)" STATE="$(STATE)" exec $(RUN) tools.dev

smtp: ## Run the SMTP relay beside `make dev`; SMTP_PORT=8025 and API_URL= can be changed
	$(PREPARE)
	@exec $(RUN) smtp_relay

# Many tests wait for a server to start or for a time to come, so there are more processes than cores.
test: lint typecheck ## Lint, check types, and run the tests that are not slow
	@$(RUN) pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not slow"

test-all: lint typecheck ## Lint, check types, and run all tests
	@$(RUN) pytest

lint: ## Check style and formatting
	$(PREPARE)
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

format: ## Format the code and repair what the linter can repair
	$(PREPARE)
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

typecheck: ## Check types
	$(PREPARE)
	@$(RUN) mypy
	@.venv/bin/node node_modules/typescript/bin/tsc --project console

openapi: ## Rewrite the description of the API and the page of it (public/)
	$(PREPARE)
	@$(RUN) tools.openapi

settings-table: ## Rewrite the tables of settings in docs/configuration.md
	$(PREPARE)
	@PYTHONPATH=src $(RUN) tools.settings_table

bench: ## Measure, in a few minutes
	$(PREPARE)
	@$(RUN) tools.bench

bench-long: ## Measure for long
	$(PREPARE)
	@$(RUN) tools.bench --long

deploy-check: ## Build what would be uploaded and check its size; nothing is uploaded
	$(PREPARE)
	@$(RUN) tools.deploy_check

deploy: ## Deploy to your Cloudflare account, with its database, queues and secrets
	$(PREPARE)
	@$(RUN) tools.deploy

secret: ## Print a random secret that suits JWT_SECRET
	@$(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(48))'

lock: ## Rewrite the pinned requirements from requirements/*.in
	$(PREPARE)
	@$(RUN) tools.lock

clean: ## Remove everything that was generated, but not .dev.vars and the local database
	@rm -rf .venv node_modules python_modules public/assets build *.egg-info
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find src smtp_relay tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
