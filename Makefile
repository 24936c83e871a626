# Every target first installs what it needs (scripts/with-env), which later calls skip.

.PHONY: help demo test test-deep test-spark check docs docs-reference fixture pictures bench bench-quick dist third-party
.PHONY: release-check
.DEFAULT_GOAL := help
# Python keeps modules compiled, where the environment forbids it too: each worker of the tests reads all of them.
COMPILED = PYTHONDONTWRITEBYTECODE=

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

demo: ## run against a simulated Sisense; reports in ./access-review-demo
	@$(COMPILED) sh scripts/with-env run access-review demo

test: ## run all tests
	@$(COMPILED) sh scripts/with-env dev pytest -n auto --dist loadgroup

test-deep: ## run the random searches with many more examples than make test (SEED=1 repeats them, SAMPLE=1 takes a fifth)
	@$(COMPILED) sh scripts/with-env dev pytest -n auto --dist loadgroup -m search --hypothesis-profile $(if $(SAMPLE),sample,deep) $(if $(SEED),--hypothesis-seed $(SEED))

test-spark: ## run every model on Spark 4 itself, which needs Java 17 (make test uses Sail); installs 470 MB
	@sh scripts/with-env dev scripts/with-spark pytest tests/engines tests/e2e/test_engine.py

check: ## check formatting, lint, types, import layers, and every link of the documentation
	@sh scripts/with-env dev ruff format --check .
	@sh scripts/with-env dev ruff check .
	@sh scripts/with-env dev mypy
	@sh scripts/with-env dev lint-imports
	@sh scripts/with-env docs zensical build --strict

docs: ## build the documentation site into site/, and check every link
	@sh scripts/with-env docs zensical build --strict

docs-reference: ## write the reference pages of docs/ from the code
	@sh scripts/with-env dev python scripts/reference.py
	@sh scripts/with-env dev access-review catalog --format markdown > docs/catalog.md

fixture: ## keep a year of use of this version of the database, for the tests of later ones
	@sh scripts/with-env dev python tests/upgrade/make_fixture.py

pictures: ## take the pictures of docs/ from the demo; needs pdftoppm and Chromium
	@sh scripts/with-env dev python scripts/pictures.py

bench: ## measure speed against peers and limits; writes bench/RESULTS.md
	@sh scripts/with-env bench python -m bench

bench-quick: ## measure a smaller set in under two minutes; writes nothing
	@sh scripts/with-env bench python -m bench --quick

dist: ## build sdist and wheel into ./dist, with their locked dependencies and an SBOM
	@rm -rf dist
	@sh scripts/with-env dev uv build --out-dir dist
	@sh scripts/with-env dev uv export --quiet --frozen --no-dev --no-emit-project --output-file dist/requirements.txt
	@sh scripts/with-env dev python scripts/sbom.py

third-party: ## list the licences of all packages of uv.lock in THIRD_PARTY.md
	@sh scripts/with-env dev python scripts/third_party.py

release-check: dist ## check what dist has: contents, strays, an installation on each Python, the README's commands
	@sh scripts/with-env dev python scripts/release_check.py
