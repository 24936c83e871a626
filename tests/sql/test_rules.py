"""A rule is one file: no other file of the program, its data or its tests names it."""

import re
from pathlib import Path

import pytest

from pipeline import resources
from pipeline.simulator.answer_key import PlantedObject, PlantedRule
from pipeline.warehouse.examples import example_tables, run_example
from pipeline.warehouse.model_file import load_folder, load_model

ROOT = Path(__file__).parents[2]
MODELS = load_folder(resources.sql())
RULES = {model.name for model in MODELS if model.is_rule}
#: The rules themselves, and the answer key that says which of them a planted condition is for.
MAY_NAME_RULES = (Path("sql/3_findings"), Path("pipeline/simulator/answer_key.py"))
TEXTS = {".csv", ".css", ".html", ".j2", ".js", ".md", ".py", ".sql", ".toml", ".txt"}


def test_no_other_file_names_a_rule() -> None:
    names = re.compile(rf"\b({'|'.join(sorted(RULES))})\b")
    found = []
    for folder in ("pipeline", "sql", "data", "reports", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            relative = path.relative_to(ROOT)
            if path.suffix not in TEXTS or any(relative.is_relative_to(place) for place in MAY_NAME_RULES):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                found += [f"{relative}:{number}: {name}" for name in names.findall(line)]

    assert not found


@pytest.mark.parametrize("page", ["sql/README.md", "CONTRIBUTING.md"])
def test_the_example_of_a_page_is_a_rule_that_works(page: str, tmp_path: Path) -> None:
    path = tmp_path / "3_findings" / "example.sql"
    path.parent.mkdir()
    text = (ROOT / page).read_text(encoding="utf-8")
    path.write_text(re.findall(r"```sql\n(.*?)```", text, re.DOTALL)[-1], encoding="utf-8")

    model = load_model(path)

    assert model.examples
    with example_tables(MODELS) as connection:
        for example in model.examples:
            run_example(connection, model, example)


def test_the_answer_key_names_rules_that_exist() -> None:
    assert {*PlantedRule, *PlantedObject} <= RULES
