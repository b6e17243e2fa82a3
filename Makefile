# `make` lists what there is. Everything that these targets install or write is in .local/ and target/.

PYTHON ?= python3
PORT ?= 9000

CLOUD := $(PYTHON) local/cloud.py
CLOUD_BIN := .local/venv/cloud/bin
TOOLS_BIN := .local/venv/tools/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)
ONCE := $(TARGET)/standalone/once
DATA := .local/once

export SAM_CLI_TELEMETRY := 0

.NOTPARALLEL:
.PHONY: help setup run stop cloud watch test check pictures audit bench deploy

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the pinned tools into .local/ (the other targets do it too)
	@$(CLOUD) setup

run: ## Start Once in one process and play the main job of every feature (PORT=9000)
	@cargo build --profile standalone --package standalone
	@$(ONCE) start --data $(DATA) --port $(PORT) --parameter CallbackAllowPrivate=true
	@. $(DATA)/env && echo "$$API_URL" > .local/api-url && rm -f .local/token .local/read-token && \
	  (umask 077; echo "$$ONCE_TOKEN" > .local/token; echo "$$ONCE_READ_TOKEN" > .local/read-token)
	@. $(DATA)/env && $(ONCE) play

stop: ## Stop it, and the local cloud
	@if [ -x $(ONCE) ]; then $(ONCE) stop --data $(DATA); fi
	@rm -f .local/api-url .local/token .local/read-token
	@if [ -e .local/cloud/cloud.lock ]; then $(CLOUD) --home .local/cloud down; fi

cloud: ## Deploy the template to a local cloud, an emulator of AWS, and play there what it can bear
	@$(CLOUD) --home .local/cloud --port 4566 up
	@$(CLOUD) --home .local/cloud deploy
	@. .local/cloud/env && $(TARGET)/debug/once play \
	  --buyers 100 --payments 10000 --callers 20 --ids 2000

watch: ## Serve the routes at port 9001, rebuilt on every change, with the services of `run` behind
	@cargo build --profile standalone --package standalone
	@$(ONCE) start --data $(DATA) --port $(PORT) --parameter CallbackAllowPrivate=true
	@$(CLOUD) --home $(DATA) watch

# Clippy and rustdoc work on what the tests compile: `cargo clippy` and `cargo doc` would check
# every dependency once more. Two tests a core, since many wait.
CARGO_TEST := RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/local/clippy.sh RUSTDOC=$(CURDIR)/local/rustdoc.sh \
  cargo test --workspace --all-features
PYTEST := $(CLOUD_BIN)/pytest --durations 10
TEST_THREADS = $(shell $(PYTHON) -c "import os; print(2 * os.cpu_count())")

test: check ## Check, test, and run the end-to-end tests against one process and a local cloud
	$(CARGO_TEST) --lib --bin once --bin bench --test '*' -- --test-threads $(TEST_THREADS)
	$(CARGO_TEST) --quiet --doc
	cargo build --bins --package functions --package standalone --package unified-features
	@mkdir -p .local/test; echo "The end-to-end tests of one process run beside those of the cloud"; \
	$(PYTHON) local/standalone.py $(PYTEST) > .local/test/standalone.txt 2>&1 & one=$$!; \
	$(CLOUD) --home .local/test --port 0 session $(PYTEST); cloud=$$?; \
	wait $$one; one=$$?; cat .local/test/standalone.txt; exit $$((one + cloud))

check: setup ## Check formatting, line lengths, the template and the Python
	cargo fmt --all --check
	$(PYTHON) local/lines.py
	env -u AWS_PROFILE $(TOOLS_BIN)/sam validate --lint
	$(TOOLS_BIN)/ruff check local e2e shared/tests/oracle
	$(TOOLS_BIN)/ruff format --check local e2e shared/tests/oracle
	$(TOOLS_BIN)/python shared/tests/oracle/occurrences.py --check

pictures: ## Take the pictures in docs/pictures again (needs a Chromium)
	$(CLOUD) --home .local/test --port 0 session $(PYTEST) e2e/test_pictures.py --pictures docs/pictures

audit: ## Check licenses, sources and known vulnerabilities of every dependency (needs RustSec)
	cargo install cargo-deny --quiet --locked --version 0.20.2 --root .local/audit
	.local/audit/bin/cargo-deny check

bench: ## Run the benchmarks
	cargo run --release -p bench

deploy: setup ## Build for AWS and deploy there, with the account and region of your environment
	PATH="$(CURDIR)/$(TOOLS_BIN):$$PATH" sam build
	@admin="$$ADMIN_TOKEN_SHA256"; read="$$READ_TOKEN_SHA256"; \
	  if [ -z "$$admin" ]; then printf "SHA-256 of the token of the role admin (docs/ACCESS.md): "; \
	    read -r admin; fi; \
	  set -x; $(TOOLS_BIN)/sam deploy --parameter-overrides "AdminTokenSha256=$$admin" \
	    $${read:+"ReadTokenSha256=$$read"}
