# `make help` lists the targets. Everything a target needs it installs into .venv by itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
export KINORA_MEDIA ?= $(abspath ../shared/media)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Hash-locked dependencies, then the project itself without looking anything up.
$(VENV)/run.stamp: infra/locks/run.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r infra/locks/run.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r infra/locks/build.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev.stamp: infra/locks/dev.txt $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --require-hashes -r infra/locks/dev.txt
	touch $@

# Third-party code of the page, by its own lock; again only when that changes.
ASSETS := functions/gateway/assets
VENDOR := functions/gateway/static/vendor
$(VENDOR)/stamp: $(ASSETS)/package-lock.json $(ASSETS)/build.sh
	$(ASSETS)/build.sh

.PHONY: assets
assets: $(VENDOR)/stamp ## bring the page's player (needs npm)

# Players of others, for tests alone.
PLAYERS := tests/players
$(PLAYERS)/node_modules/stamp: $(PLAYERS)/package-lock.json
	if command -v npm >/dev/null; then cd $(PLAYERS) && npm ci --no-fund --no-audit --loglevel=error >/dev/null && touch node_modules/stamp; \
	else echo "npm is not here: tests with players are skipped" >&2; fi

.PHONY: players
players: $(PLAYERS)/node_modules/stamp ## bring the players that tests let play the streams (needs npm)

.PHONY: demo
demo: $(VENV)/run.stamp ## turn a file into streams: make demo [INPUT=film.mp4] [OUT=folder]
	$(BIN)/python -m knative.cli.demo "$(INPUT)" "$(OUT)"

.PHONY: up
up: $(VENV)/run.stamp $(VENDOR)/stamp ## watch ./kinora-data/uploads and encode what is dropped there
	$(BIN)/kinora up --dir kinora-data

.PHONY: servers
servers: ## what tests talk to: MinIO and kubectl (built from their Go modules), Redis, Chromium, another ffmpeg
	infra/servers/minio.sh .cache/servers
	infra/cluster/build kubectl
	infra/servers/packages.sh redis-server chromium ffmpeg

# A file is one worker's; they are begun in the order of their folders, so that the short ones of
# unit/ fill up what the long ones leave.
.PHONY: test
test: $(VENV)/dev.stamp $(VENDOR)/stamp $(PLAYERS)/node_modules/stamp ## the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not cluster"

.PHONY: format
format: $(VENV)/dev.stamp ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: generate
generate: $(VENV)/dev.stamp ## write what derives from the contract: schemas, Triggers, docs
	$(BIN)/python -m infra.generate

.PHONY: check
check: $(VENV)/dev.stamp ## everything CI runs but what needs a cluster
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.generate --check
	$(MAKE) test

.PHONY: bench
bench: $(VENV)/dev.stamp ## measure against one plain ffmpeg, side by side
	$(BIN)/python -m tests.bench

.PHONY: campaign
campaign: $(VENV)/dev.stamp ## hundreds of seeded kills, outages of what is around, thousands of damaged files; hours
	$(BIN)/python -m tests.e2e.campaign

.PHONY: lock
lock: $(VENV)/dev.stamp ## resolve the dependencies anew, with hashes and no addresses
	for lock in run build dev; do \
	  case $$lock in run) with=;; *) with="--group $$lock";; esac; \
	  $(BIN)/uv pip compile --quiet pyproject.toml $$with --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade \
	    -o infra/locks/$$lock.txt; \
	done
	for image in lean media gateway; do \
	  $(BIN)/uv pip compile --quiet --group $$image --constraints infra/locks/run.txt --universal \
	    --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	    -o infra/locks/$$image.txt; \
	done

# Images: of dev.local, for a cluster that pulls nothing, or of a registry. BASE chooses what they stand on.
TARGETS ?= lean media gateway
REPOSITORY ?= dev.local
TAG ?= dev
.PHONY: images
images: $(VENV)/run.stamp $(VENDOR)/stamp ## build the images: make images [TARGETS="lean media"] [TAG=dev]
	REPOSITORY=$(REPOSITORY) TAG=$(TAG) infra/image/build.sh $(TARGETS)
	REPOSITORY=$(REPOSITORY) TAG=$(TAG) infra/image/prove.sh $(TARGETS)

.PHONY: push
push: $(VENV)/run.stamp $(VENDOR)/stamp ## build them and push: make push REPOSITORY=registry.example/name [TAG=dev]
	REPOSITORY=$(REPOSITORY) TAG=$(TAG) infra/image/build.sh --push $(TARGETS)

.PHONY: cluster-up
cluster-up: ## a real Knative on this machine (first: 10 min to build it); needs root
	infra/cluster/build
	infra/cluster/up

.PHONY: cluster-down
cluster-down: ## take it away; what was built stays
	infra/cluster/down

.PHONY: cluster-test
cluster-test: $(VENV)/dev.stamp ## Kinora on a real Knative, from nothing to nothing (KEEP=1 leaves it up)
	infra/cluster/test

.PHONY: cluster-test-keda
cluster-test-keda: $(VENV)/dev.stamp ## pull mode on a cluster that is up, with KEDA (first: 5 min to build it)
	infra/cluster/keda/build
	infra/cluster/keda/up
	$(BIN)/python -m pytest -n0 -m cluster tests/cluster/test_pull_mode.py

.PHONY: clean
clean: ## remove what was installed and cached here
	test ! -e .cache/cluster/state || infra/cluster/down
	rm -rf $(VENV) $(VENDOR) $(ASSETS)/node_modules $(PLAYERS)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache
