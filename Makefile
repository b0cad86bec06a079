# `make` alone lists what there is. Every target sets up what it needs first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
STUBS  := services/beholden/v1/__init__.py
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Weights that lie on this machine already; without them the package registries are asked.
export BEHOLDEN_MODEL_MIRROR ?= $(wildcard ../shared/models)

.DEFAULT_GOAL := help
.PHONY: help setup models demo run test tests check protos descriptors lock bench bench-accuracy faults clean ci-engines engines jemalloc collector up down status

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STUBS) models ## Make .venv, generate the stubs, pull the models (idempotent)

$(READY): requirements-dev.lock pyproject.toml protos/build.py
	@echo "Setting up $(VENV) (once; a minute or two)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Beholden needs Python 3.11 or newer; set PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(STUBS): $(READY) protos/methods.py $(wildcard protos/beholden/v1/*.proto)
	@$(BIN)/python protos/build.py
	@touch $@

models: $(STUBS)
	-@$(BIN)/beholden models pull

demo: setup $(if $(filter real,$(ENGINES)),engines) ## Tell the whole story on real pictures (PICTURES=dir: yours; ENGINES=real)
	@$(BIN)/beholden demo $(if $(PICTURES),--pictures "$(PICTURES)") $(if $(filter real,$(ENGINES)),--real)

run: setup ## Serve everything on one port over the embedded engines, until Ctrl-C
	@$(BIN)/beholden serve all

engines: $(STUBS) jemalloc ## Install Triton, Milvus, OPA, PostgreSQL in .engines, and what renders k8s/
	@$(BIN)/python k8s/check.py --install; $(BIN)/beholden engines install

# Debian's, unpacked where `beholden serve` looks first; nothing of the machine is changed.
jemalloc: $(STUBS)
	@test -e $(VENV)/lib/libjemalloc.so.2 || { cd "$$(mktemp -d)" && apt-get -qq download libjemalloc2 \
	  && dpkg -x libjemalloc2_*.deb . && cp -L usr/lib/*/libjemalloc.so.2 $(CURDIR)/$(VENV)/lib/; } 2>/dev/null \
	  || echo "jemalloc cannot be had from Debian here: servers go on with the C library's memory"

collector: ## Build the OpenTelemetry Collector that k8s/ configures, for its tests (minutes)
	@GOBIN=$(CURDIR)/.engines/bin CGO_ENABLED=0 go install go.opentelemetry.io/collector/cmd/builder@v0.155.0
	@CGO_ENABLED=0 .engines/bin/builder --config k8s/collector/builder.yaml
	@cp .engines/otelcol/otelcol .engines/bin/

up: setup ## Start every service over the real engines (UP="--without milvus": over its twin)
	@$(BIN)/beholden engines install || true
	@$(BIN)/beholden up $(UP)

down: $(STUBS) ## End what `make up` started
	@$(BIN)/beholden down

status: $(STUBS) ## Show what `make up` started, and how it is
	@$(BIN)/beholden status || true

test: setup $(if $(filter true,$(CI)),ci-engines) ## What must hold: check, and the tests (CI=true: the thorough ones too)
	@$(MAKE) --no-print-directory -j 2 check tests

# Three at a time on two cores, since a test waits now and then.
tests: $(STUBS)
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile $(ARGS)

ci-engines: $(STUBS) jemalloc
	@$(BIN)/beholden engines install || true
	@$(BIN)/python k8s/check.py --install || true
	@GOBIN=$(CURDIR)/.engines/bin go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4 || true
	@$(BIN)/python -m tests.moto || true

check: $(STUBS) ## Format, lint, types, protos, policies, manifests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python protos/lint.py
	@$(BIN)/python policies/check.py $(OPA)
	@$(BIN)/python k8s/check.py

protos: $(READY) ## Generate the Python stubs from protos/
	@$(BIN)/python protos/build.py

descriptors: $(READY) ## Write the API's descriptors, which generators of other languages read
	@$(BIN)/python protos/descriptors.py out/beholden.binpb

lock: $(READY) ## Resolve the pinned requirements anew
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install --quiet uv
	@$(VENV)/lock/bin/uv pip compile $(LOCK) -o requirements.lock pyproject.toml
	@$(VENV)/lock/bin/uv pip compile $(LOCK) -c requirements.lock --group dev -o requirements-dev.lock pyproject.toml
LOCK := -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

bench: setup ## What guard, policy and ledger cost, and each call's throughput (ENGINES=real)
	@$(BIN)/python -m tests.bench $(if $(ENGINES),--engines $(ENGINES)) $(ARGS)

faults: setup ## Kill each process of the real stack under load, one at a time
	@$(BIN)/python -m tests.bench.faults $(ARGS)

bench-accuracy: setup ## What the service tells of known pictures
	@$(BIN)/python -m tests.bench.accuracy $(ARGS)

clean: ## Remove what was built; models and data under var/ stay
	@rm -rf $(VENV) out dist build services/beholden/v1 services/beholden/client/*methods.py .mypy_cache .ruff_cache .pytest_cache
