"""The rules about dashboards, data models and settings find exactly what the simulator planted."""

from __future__ import annotations

from collections import Counter

from pipeline.simulator.answer_key import PlantedObject
from tests.e2e.organisation import Organisation


def test_the_rules_find_what_was_planted_and_nothing_else(organisation: Organisation) -> None:
    found = Counter(
        (row["rule_id"], row["severity"], row["subject_id"] if row["subject_type"] == "object" else None)
        for row in organisation.rows("select * from findings.register where source = 'prod'")
        if row["rule_id"] in set(PlantedObject)
    )

    planted = Counter(
        (str(rule), finding.severity, finding.object_id)
        for rule, findings in organisation.reaches["prod"].objects.planted.items()
        for finding in findings
    )
    assert {rule for rule, _, _ in planted} == set(PlantedObject)
    assert found == planted
