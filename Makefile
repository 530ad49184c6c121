# Two commands do everything, set-up included: `make demo` and `make test`.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

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

bench: build ## Print the benchmark table, ratios against raw limits of the same run
	.build/release/belfry bench

docs: ## Build the DocC documentation of the public targets into .build/docs
	scripts/build-docs

clean: ## Remove build products
	rm -rf .build
