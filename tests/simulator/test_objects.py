"""The objects of the synthetic organisation, and the answer key of the rules about them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from pipeline.simulator.answer_key import PlantedObject
from pipeline.simulator.objects import ROW_VALUE_MARKS, Objects, ObjectSizes
from pipeline.simulator.population import Population, build
from tests.simulator.object_reviewer import Found, ObjectReviewer

ANCHOR = datetime(2026, 3, 1, tzinfo=UTC)


def key_of(objects: Objects) -> Counter[Found]:
    return Counter(
        (rule, item.severity, item.object_id, item.party, item.place)
        for rule, items in objects.planted.items()
        for item in items
    )


def as_text(objects: Objects) -> str:
    made = [asdict(each) for each in (*objects.dashboards, *objects.models)]
    return json.dumps([made, objects.folders, objects.reports]) + objects.labels_csv() + objects.planted_csv()


@pytest.mark.parametrize(
    ("accounts", "seed"),
    [(20, 1), (20, 7), (37, 2), (57, 3), (99, 4), (100, 1), (117, 2), (499, 3), (500, 4), (640, 5), (2_000, 7)],
)
def test_the_answer_key_is_exactly_what_the_rules_find(accounts: int, seed: int) -> None:
    population = build(accounts, seed, ANCHOR)

    key = key_of(population.objects)

    assert ObjectReviewer(population).findings() == set(key)
    assert max(key.values()) == 1


def test_every_rule_of_the_answer_key_is_planted_from_500_accounts_on(population: Population) -> None:
    assert set(population.objects.planted) == set(PlantedObject)


def test_the_smallest_organisation_has_the_most_telling_conditions() -> None:
    planted = build(20, 7, ANCHOR).objects.planted

    assert set(planted) >= {
        PlantedObject.PUBLIC_DASHBOARD,
        PlantedObject.SHARED_OUTSIDE,
        PlantedObject.SHARED_WITH_EVERYONE,
        PlantedObject.MODEL_WITHOUT_ROW_RULES,
        PlantedObject.ROW_RULE_BYPASSED,
        PlantedObject.WEAK_SIGN_ON,
    }


def test_the_number_of_conditions_does_not_grow_with_the_organisation() -> None:
    small, large = (
        {rule: len(items) for rule, items in build(accounts, 7, ANCHOR).objects.planted.items()}
        for accounts in (500, 4_000)
    )

    assert small == large


def test_the_same_seed_gives_the_same_objects_and_another_seed_others(population: Population) -> None:
    again = build(500, 4, ANCHOR)

    assert as_text(again.objects) == as_text(population.objects)
    assert as_text(build(500, 5, ANCHOR).objects) != as_text(population.objects)


@pytest.mark.parametrize("accounts", [20, 100, 2_000])
def test_the_sizes_follow_from_the_accounts(accounts: int) -> None:
    population = build(accounts, 7, ANCHOR)
    sizes, objects = population.sizes, population.objects

    assert sizes.dashboards == max(6, accounts // 8)
    assert (len(objects.dashboards), len(objects.models)) == (sizes.dashboards, sizes.models)
    assert any(model.is_live for model in objects.models)
    assert sum(len(model.rules) for model in objects.models) >= sizes.row_rules


def test_the_sizes_can_be_chosen() -> None:
    objects = build(600, 3, ANCHOR, ObjectSizes(dashboards=300, models=30, shares=2_400, row_rules=900)).objects
    shares = sum(len(dashboard.shares) for dashboard in objects.dashboards)
    rules = sum(len(model.rules) for model in objects.models)

    assert (len(objects.dashboards), len(objects.models)) == (300, 30)
    assert abs(shares - 2_400) < 10
    assert 900 <= rules < 910


def test_ids_are_unique_and_objects_refer_to_each_other(population: Population) -> None:
    objects = population.objects
    ids = [each.oid for each in objects.dashboards] + [each.model_id for each in objects.models]
    ids += [folder["oid"] for folder in objects.folders] + [rule["_id"] for m in objects.models for rule in m.rules]
    folders = {folder["oid"] for folder in objects.folders}

    assert len(ids) == len(set(ids))
    assert {dashboard.model_id for dashboard in objects.dashboards} <= set(objects.models_by_id)
    assert {dashboard.folder for dashboard in objects.dashboards} <= folders | {None}
    assert {folder["parentId"] for folder in objects.folders} <= folders | {None}


def test_every_value_of_a_row_rule_can_be_recognised(population: Population) -> None:
    values = [value for model in population.objects.models for rule in model.rules for value in rule["members"]]

    assert {type(value) for value in values} == {str, int}
    assert all(str(value).startswith(ROW_VALUE_MARKS) for value in values)


def test_row_rules_come_in_every_form(population: Population) -> None:
    rules = [rule for model in population.objects.models for rule in model.rules]

    assert {rule["allMembers"] for rule in rules if rule["members"]} == {False, None}
    assert {rule["allMembers"] for rule in rules if not rule["members"]} == {True, False, None}
    assert {rule["exclusionary"] for rule in rules} == {True, False}
    assert {share["type"] for rule in rules for share in rule["shares"]} == {"user", "group", "default"}
    assert any(share.get("partyId") == population.objects.everyone_id for rule in rules for share in rule["shares"])
    assert max(len(rule["shares"]) for rule in rules) > 1


def test_labels_name_objects_by_id_and_by_title(population: Population) -> None:
    objects = population.objects
    labels = list(csv.DictReader(io.StringIO(objects.labels_csv())))
    titles = Counter(dashboard.title for dashboard in objects.dashboards)

    assert list(labels[0]) == ["object_type", "object", "sensitivity", "owner_email"]
    [by_title] = [label["object"] for label in labels if label["object"] in titles]
    assert titles[by_title] == 2
    assert population.policy_files()["objects.csv"] == objects.labels_csv()


def test_the_population_does_not_depend_on_the_objects() -> None:
    plain, large = build(100, 7, ANCHOR), build(100, 7, ANCHOR, ObjectSizes(50, 10, 200, 100))

    assert large.objects.dashboards != plain.objects.dashboards
    assert large.users == plain.users
    assert _policy_of_accounts(large) == _policy_of_accounts(plain)
    assert (large.roster_csv(), large.planted_csv()) == (plain.roster_csv(), plain.planted_csv())


def _policy_of_accounts(population: Population) -> dict[str, str]:
    """Every policy file apart from the labels of objects, which name the objects by their ids."""
    return {name: text for name, text in population.policy_files().items() if name != "objects.csv"}
