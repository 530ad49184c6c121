# Two commands do everything, set-up included: `make demo` and `make test`.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# How much work `make bench` does, compared to the usual amount.
SCALE ?= 1

.PHONY: help demo test lint build bench docs clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## Build a release binary and run the whole product against the WeChat simulator
	scripts/install-dependencies build
	swift build -c release --product belfry
	exec .build/release/belfry demo

test: lint ## Install what tests need and run every test
	scripts/install-dependencies test
	scripts/run-tests

lint: ## Check the formatting
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

build: ## Build a release binary: .build/release/belfry
	scripts/install-dependencies build
	swift build -c release --product belfry

bench: export BELFRY_BENCHMARKS = peers
bench: ## Print the benchmark table: this machine's raw limits and four other servers, ratios of the same run
	scripts/install-dependencies bench
	swift build -c release --product belfry
	swift build -c release --product belfry-peers
	.build/release/belfry bench --scale $(SCALE)
	.build/release/belfry-peers --scale $(SCALE) --no-header

docs: ## Build the DocC documentation of the public targets into .build/docs
	scripts/build-docs

clean: ## Remove build products
	rm -rf .build
