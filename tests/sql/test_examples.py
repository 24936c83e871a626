"""Every example of a model holds."""

from collections.abc import Iterator

import pytest

from pipeline import resources
from pipeline.warehouse.database import Connection
from pipeline.warehouse.examples import example_tables, run_example
from pipeline.warehouse.model import Example, Model
from pipeline.warehouse.model_file import load_folder

MODELS = load_folder(resources.sql())
EXAMPLES = [(model, example) for model in MODELS for example in model.examples]


@pytest.fixture(scope="module")
def tables() -> Iterator[Connection]:
    with example_tables(MODELS) as connection:
        yield connection


@pytest.mark.parametrize(
    ("model", "example"), EXAMPLES, ids=[f"{model.name}: {example.name}" for model, example in EXAMPLES]
)
def test_example_holds(tables: Connection, model: Model, example: Example) -> None:
    run_example(tables, model, example)
