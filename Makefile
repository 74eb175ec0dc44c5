# Everything that a person or the CI runs. `make` prints this list.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
FUZZTIME ?= 30s
venv := .local/venv/.stamp
modules := infra/node_modules/.package-lock.json
sources := infra lambdas statemachine testdata

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: venv ## run one preview's whole life on this machine; ONCE=1 ends after it
	@go build -o .local/bin/local ./infra/local
	@exec .local/bin/local demo $(if $(ONCE),--once)

.PHONY: local
local: venv ## run the local stack until Ctrl-C
	@go build -o .local/bin/local ./infra/local
	@exec .local/bin/local up

.PHONY: test
test: venv ## run all tests
	go test -timeout 10m ./...

.PHONY: check
check: format vet lint tidy asl ## what CI runs first

.PHONY: format
format:
	@unformatted=$$(gofmt -l $(wildcard $(sources))); \
	if [ -n "$$unformatted" ]; then echo "gofmt -w these:"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet:
	go vet ./...

# Built from its pinned source at the first use: one to four minutes, then cached.
.PHONY: lint
lint:
	go tool -modfile=infra/tools.mod golangci-lint run

.PHONY: tidy
tidy:
	go mod tidy -diff

.PHONY: asl
asl: $(modules)
	infra/node_modules/.bin/asl-validator --json-path statemachine/environment.asl.json

.PHONY: bench
bench: venv ## run all benchmarks
	go test -timeout 30m -run '^$$' -bench . -benchmem ./...

# Go fuzzes one target at a time. Minimizing is bounded: it would take a minute for
# each input that finds something new.
.PHONY: fuzz
fuzz: ## fuzz what strangers send, FUZZTIME (30s) a target
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' $(wildcard $(sources)) | \
	while IFS=: read -r file target; do \
		go test -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "./$$(dirname "$$file")"; \
	done

.PHONY: venv
venv: $(venv)

$(venv): infra/local/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12"; exit 1; }
	rm -rf .local/venv
	$(PYTHON) -m venv .local/venv
	.local/venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(modules): infra/package-lock.json
	@node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' || \
		{ echo "Node 20 or newer is needed"; exit 1; }
	npm ci --prefix infra --no-fund --no-audit --loglevel=error
	touch $@
