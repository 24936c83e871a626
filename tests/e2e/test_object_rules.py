"""The rules about dashboards and models find exactly what the simulator planted."""

from __future__ import annotations

from collections import Counter

from pipeline.simulator.answer_key import PlantedObject
from tests.e2e.organisation import Organisation

#: The rules that :class:`PlantedObject` names and that rest on dashboards, models and row rules alone.
RULES = set(PlantedObject) - {PlantedObject.WEAK_SIGN_ON, PlantedObject.MAILED_OUTSIDE}


def test_the_rules_find_what_was_planted_and_nothing_else(organisation: Organisation) -> None:
    found = Counter(
        organisation.connection.execute(
            "select rule_id, severity, subject_id from findings.register"
            " where source = 'prod' and subject_type = 'object'"
        ).fetchall()
    )
    planted = Counter(
        (str(rule), finding.severity, finding.object_id)
        for rule, findings in organisation.reaches["prod"].objects.planted.items()
        if rule in RULES
        for finding in findings
    )
    assert {rule for rule, _, _ in planted} == RULES
    assert found == planted
