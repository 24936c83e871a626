"""The rules about dashboards and models find exactly what the simulator planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.simulator.answer_key import PlantedObject
from pipeline.simulator.population import Population
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from tests.e2e.test_reach import two_sources

#: The rules that :class:`PlantedObject` names and that rest on dashboards, models and row rules alone.
RULES = set(PlantedObject) - {PlantedObject.WEAK_SIGN_ON, PlantedObject.MAILED_OUTSIDE}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connection, Population]]:
    folder: Path = tmp_path_factory.mktemp("object-rules")
    with (
        two_sources(folder) as populations,
        database.sandbox(folder / "access-review.duckdb", notify=pytest.fail) as connection,
    ):
        yield connection, populations["prod"]


def test_the_rules_find_what_was_planted_and_nothing_else(built: tuple[Connection, Population]) -> None:
    connection, population = built
    found = Counter(
        connection.execute(
            "select rule_id, severity, subject_id from findings.register"
            " where source = 'prod' and subject_type = 'object'"
        ).fetchall()
    )
    planted = Counter(
        (str(rule), finding.severity, finding.object_id)
        for rule, findings in population.objects.planted.items()
        if rule in RULES
        for finding in findings
    )
    assert {rule for rule, _, _ in planted} == RULES
    assert found == planted
