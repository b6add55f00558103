# Everything runs from here. `make help` lists it.
SHELL := /bin/sh
GO ?= go

.DEFAULT_GOAL := help
.PHONY: help run demo build test lint fmt fuzz bench eval eval-licenses soak release-files clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## play the main job on a local forge, then serve the catalog it published
	@sh internal/demo/demo.sh --serve

demo: build ## the same without serving; fails unless all went as told
	@sh internal/demo/demo.sh

build: ## build bin/dpg and bin/dpgbot
	@mkdir -p bin
	$(GO) build -trimpath -o bin/ ./cmd/...

test: ## run every test, naming what had to be skipped (TESTFLAGS=-race adds flags)
	@sh .ci/test $(TESTFLAGS)

lint: ## check form, vet, staticcheck, the workflows, the included registry, and one that dpg init makes
	@test -z "$$(gofmt -l *.go cmd internal registry schemas)" || { gofmt -l *.go cmd internal registry schemas; echo "run make fmt"; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff
	$(GO) tool -modfile=internal/tools/go.mod staticcheck ./...
	$(GO) tool -modfile=internal/tools/go.mod actionlint
	$(GO) run ./cmd/dpg validate --strict
	@made=$$(mktemp -d) && trap 'rm -rf "$$made"' EXIT && $(GO) run ./cmd/dpg init "$$made/registry" --name Example >/dev/null && \
	$(GO) run ./cmd/dpg validate --strict --registry "$$made/registry/registry" && \
	$(GO) tool -modfile=internal/tools/go.mod actionlint "$$made"/registry/.github/workflows/*.yml

fmt: ## format the code
	gofmt -w *.go cmd internal registry schemas

FUZZTIME ?= 30s
fuzz: ## run each fuzz target for FUZZTIME
	@$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ {f[n++]=$$1} /^ok/ {for (i=0; i<n; i++) print $$2, f[i]; n=0}' | \
	while read -r pkg name; do $(GO) test "$$pkg" -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x || exit 1; done

SIZES ?= 10000
bench: ## run the benchmarks; beside nginx and Hugo where hugo, nginx and wrk are (SIZES=10000,100000 is more)
	$(GO) run ./internal/bench $(BENCHFLAGS)
	cd internal/bench/search && $(GO) run . -n $(SIZES)
	-$(GO) run ./internal/bench/serve -n $(SIZES)
	-$(GO) run ./internal/bench/site
	$(GO) test ./... -run '^$$' -bench . -benchmem

eval: ## measure the mapping engine against labelled entries and practices in ../shared (EVALFLAGS=-v lists disagreements)
	$(GO) run ./internal/bench/mapping $(EVALFLAGS)

eval-licenses: ## measure licence detection on real files and rewritten texts (needs npm; minutes the first time)
	$(GO) run ./internal/bench/licenses $(EVALFLAGS)
	$(GO) run ./internal/bench/licenses/words

VERSION ?= $(shell cat internal/action/VERSION)
release-files: ## build what a release of the clean checkout holds into dist (VERSION=v1.2.3, as in internal/action/VERSION)
	$(GO) run ./internal/action/release "$(VERSION)" dist

clean: ## delete what was built
	rm -rf bin dist public demo

MINIO = github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
soak: ## the tests that take minutes: every state a killed run can leave, a bucket of MinIO, which it installs into bin, and 200 builds in a row
	command -v minio >/dev/null || test -x bin/minio || GOBIN="$$PWD/bin" $(GO) install $(MINIO)
	$(GO) test ./internal/cli -run Killed -every -v -timeout 30m
	$(GO) test ./internal/bot -run 'TestKilledAtGitHub|TestRespondAtGitHubKilled' -every -v -timeout 30m
	PATH="$$PWD/bin:$$PATH" $(GO) test -tags soak ./internal/publish -run MinIO -v -timeout 30m
	$(GO) test ./internal/site -run 'TestMakeIsBuild|TestWritingAgain' -every -v -timeout 30m
	$(GO) test ./internal/cli/dpg -run Replayed -every -v -timeout 60m
	$(GO) test ./internal/fix -run TestFormat -every -v
	$(GO) test ./internal/dpga -run TestCompatReplay -every -v
