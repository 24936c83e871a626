# Every target sets up what it needs first (scripts/with-env); a second call finds it done.

.PHONY: help demo test test-deep check bench bench-quick
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

demo: ## simulated Sisense -> reports in ./access-review-demo
	@sh scripts/with-env run access-review demo

test: ## all tests
	@sh scripts/with-env dev pytest -n auto --dist loadgroup

test-deep: ## the random searches of the tests, with many more examples than in make test
	@sh scripts/with-env dev pytest -n auto --dist loadgroup -m search --hypothesis-profile deep

check: ## format, lint, types, import layers
	@sh scripts/with-env dev ruff format --check .
	@sh scripts/with-env dev ruff check .
	@sh scripts/with-env dev mypy
	@sh scripts/with-env dev lint-imports

bench: ## speed against peers and limits, written to bench/RESULTS.md
	@sh scripts/with-env bench python -m bench

bench-quick: ## the same, smaller, in under two minutes; writes nothing
	@sh scripts/with-env bench python -m bench --quick
