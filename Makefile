# Two commands do everything, set-up included: `make demo` and `make test`.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# How many people are in the rush of `make cluster-demo`.
PEOPLE ?= 20000
# How much work `make bench` does, compared to the usual amount.
SCALE ?= 1

.PHONY: help demo cluster-demo test lint build bench docs clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: ## Build a release binary and run the whole product against the WeChat simulator
	scripts/install-dependencies build
	swift build -c release --product belfry
	exec .build/release/belfry demo

cluster-demo: export BELFRY_CLUSTER_DEMO = 1
cluster-demo: ## Play a coupon rush on a Redis Cluster, PostgreSQL, RabbitMQ and three workers, two of all of them killed
	scripts/install-dependencies cluster
	swift build -c release --product belfry
	swift build -c release --product belfry-cluster-demo
	exec .build/release/belfry-cluster-demo --people $(PEOPLE)

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
