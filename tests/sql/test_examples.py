"""Every example of a model holds."""

import pytest

from pipeline import resources
from pipeline.warehouse.examples import run_example
from pipeline.warehouse.model import Example, Model
from pipeline.warehouse.model_file import load_folder

MODELS = load_folder(resources.sql())
EXAMPLES = [(model, example) for model in MODELS for example in model.examples]


@pytest.mark.parametrize(
    ("model", "example"), EXAMPLES, ids=[f"{model.name}: {example.name}" for model, example in EXAMPLES]
)
def test_example_holds(model: Model, example: Example) -> None:
    run_example(MODELS, model, example)
