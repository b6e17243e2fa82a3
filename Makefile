# `make` lists what there is. Everything that these targets install or write is in .local/ and target/.

PYTHON ?= python3
PORT ?= 4566

CLOUD := $(PYTHON) local/cloud.py
CLOUD_BIN := .local/venv/cloud/bin
TOOLS_BIN := .local/venv/tools/bin
PROGRAMS := $(or $(CARGO_TARGET_DIR),target)/debug

export SAM_CLI_TELEMETRY := 0

.NOTPARALLEL:
.PHONY: help setup run stop watch test check pictures audit bench deploy

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the pinned tools into .local/ (the other targets do it too)
	@$(CLOUD) setup

run: ## Start the local cloud, deploy to it, and play the main job of every feature (PORT=4566)
	@$(CLOUD) --port $(PORT) up
	@$(CLOUD) deploy
	@$(PROGRAMS)/load orders --url "$$(cat .local/api-url)" --buyers 500 --stock 100 --html .local/orders.html
	@. .local/env && $(PROGRAMS)/seed --sums .local/sums.csv
	@$(PROGRAMS)/load settlement --url "$$(cat .local/api-url)" --sums .local/sums.csv
	@$(PROGRAMS)/load figures --url "$$(cat .local/api-url)" --company merchant_001 --callers 100
	@$(PROGRAMS)/load schedule --url "$$(cat .local/api-url)"
	@API=$$(cat .local/api-url) && $(PROGRAMS)/load accept --url "$$API" --callback-url "$$API/test" --minutes-to .local/minutes
	@$(CLOUD) minute $$(cat .local/minutes)
	@echo "The API stays up at $$(cat .local/api-url) until \`make stop\`"

stop: ## Stop the local cloud
	@$(CLOUD) down

watch: ## Start and deploy as `run` does, then serve the routes at port 9000, rebuilt on every change
	@$(CLOUD) --port $(PORT) up
	@$(CLOUD) deploy
	@$(CLOUD) watch

# Clippy and rustdoc work on what the tests compile: `cargo clippy` and `cargo doc` would check
# every dependency once more. Two tests a core, since many wait.
CARGO_TEST := RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/local/clippy.sh RUSTDOC=$(CURDIR)/local/rustdoc.sh \
  cargo test --workspace --all-features
TEST_THREADS := $(shell $(PYTHON) -c "import os; print(2 * os.cpu_count())")

test: check ## Check, test, and run the end-to-end tests in a local cloud of their own
	$(CARGO_TEST) --lib --bin load --bin seed --bin bench --test '*' -- --test-threads $(TEST_THREADS)
	$(CARGO_TEST) --quiet --doc
	$(CLOUD) --home .local/test --port 0 session $(CLOUD_BIN)/pytest

check: setup ## Check formatting, line lengths, the template and the Python
	cargo fmt --all --check
	$(PYTHON) local/lines.py
	env -u AWS_PROFILE $(TOOLS_BIN)/sam validate --lint
	$(TOOLS_BIN)/ruff check local e2e shared/tests/oracle
	$(TOOLS_BIN)/ruff format --check local e2e shared/tests/oracle
	$(TOOLS_BIN)/python shared/tests/oracle/occurrences.py --check

pictures: ## Take the pictures in docs/pictures again (needs a Chromium)
	$(CLOUD) --home .local/test --port 0 session $(CLOUD_BIN)/pytest e2e/test_pictures.py --pictures docs/pictures

audit: ## Check licenses, sources and known vulnerabilities of every dependency (needs RustSec)
	cargo install cargo-deny --quiet --locked --version 0.20.2 --root .local/audit
	.local/audit/bin/cargo-deny check

bench: ## Run the benchmarks
	cargo run --release -p bench

deploy: setup ## Build for AWS and deploy there, with the account and region of your environment
	PATH="$(CURDIR)/$(TOOLS_BIN):$$PATH" sam build
	@hash="$$ACCESS_TOKEN_SHA256"; if [ -z "$$hash" ]; then printf "SHA-256 of the access token (docs/ACCESS.md): "; read -r hash; fi; \
	  set -x; $(TOOLS_BIN)/sam deploy --parameter-overrides "AccessTokenSha256=$$hash"
