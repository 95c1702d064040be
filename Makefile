# `make run` starts the product, `make test` tests it; both first set up what they need, and only when that changed.
.DEFAULT_GOAL := help
.PHONY: help run test check bench bench-pages chaos lock format
VENV := .venv/bin

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST)

run: .venv/.run static/vendor/.done ## Start the product (PORT, DATA_DIR and DEMO=0 are honoured); Ctrl-C stops it
	@$(VENV)/python -m retention.supervisor

test: .venv/.dev static/vendor/.done ## Run all tests
	$(VENV)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: .venv/.dev static/vendor/.done ## Run the linters, the type checker and the checks of settings and migrations
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/lint-imports
	$(VENV)/djlint --lint templates
	$(VENV)/mypy .
	$(VENV)/python manage.py makemigrations --check --dry-run
	$(VENV)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(VENV)/hadolint Dockerfile
	$(VENV)/python bin/compose.py web $(VENV)/python manage.py check --deploy --fail-level WARNING

bench: .venv/.dev static/vendor/.done ## Measure against bare PostgreSQL and bare SMTP; writes docs/benchmarks.md
	$(VENV)/python -m bench

bench-pages: .venv/.dev static/vendor/.done ## Measure pages with wrk at 10,000 and 1,000,000 customers; takes half an hour and 25 GB
	$(VENV)/python -m bench pages

chaos: .venv/.dev static/vendor/.done ## Kill workers and servers in the middle of their work, and look for what was lost
	$(VENV)/python -m pytest -m chaos

format: .venv/.dev ## Put the code into its usual shape
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

.venv/.run: requirements/uv.txt requirements/run.txt bin/setup
	@bin/setup run && touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	@bin/setup dev && touch $@

static/vendor/.done: package.json package-lock.json .npmrc requirements/frontend.txt bin/vendor.py bin/icons.txt .venv/.run
	@bin/setup frontend && touch $@

# The files of hashed requirements are compiled without the addresses of package registries.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock: .venv/.run ## Compile the requirement files and the front end's lock anew from pyproject.toml and package.json
	echo uv | $(VENV)/$(COMPILE) --upgrade - -o requirements/uv.txt
	$(VENV)/$(COMPILE) --upgrade pyproject.toml -o requirements/run.txt
	$(VENV)/$(COMPILE) --upgrade -c requirements/run.txt pyproject.toml --group dev -o requirements/dev.txt
	$(VENV)/$(COMPILE) --upgrade --group pyproject.toml:frontend -o requirements/frontend.txt
	PATH="$$PATH:$$PWD/.venv/bin" npm install --package-lock-only
