"""Reach and row access of a build equal the plain computation, for two sources whose accounts share their ids."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from pipeline import resources
from pipeline.warehouse.saved import load_queries
from tests.e2e.organisation import SEED, Organisation
from tests.fakes import reach as fakes

QUERIES = {query.name: query.sql for query in load_queries(resources.sql() / "queries")}


def test_every_object_is_there_once(organisation: Organisation) -> None:
    found = Counter(
        (row["source"], row["object_type"], row["object_id"])
        for row in organisation.rows("select source, object_type, object_id from graph.objects")
    )

    assert found == Counter(
        (source, path.object_type, path.object_id)
        for source, reach in organisation.reaches.items()
        for path in {
            *(fakes.Path("dashboard", made.oid, "", "", "") for made in reach.objects.dashboards),
            *(fakes.Path("model", made.model_id, "", "", "") for made in reach.objects.models),
            *(fakes.Path("folder", folder["oid"], "", "", "") for folder in reach.objects.folders),
        }
    )


def test_dashboards_have_their_model_owner_and_public_flag(organisation: Organisation) -> None:
    found = organisation.rows(
        "select source, object_id, model_id, owner_id, is_public from graph.objects where object_type = 'dashboard'"
    )

    assert {tuple(row.values()) for row in found} == {
        (source, made.oid, made.model_id, made.owner, made.is_public)
        for source, reach in organisation.reaches.items()
        for made in reach.objects.dashboards
    }


def test_labels_mark_the_sensitive_objects(organisation: Organisation) -> None:
    found = organisation.rows(
        "select source, object_type, object_id, object_name from graph.objects where is_sensitive"
    )
    labels = {
        (label.object_type, label.object) for reach in organisation.reaches.values() for label in reach.objects.labels
    }

    prod = [row for row in found if row["source"] == "prod"]
    assert prod
    assert all(
        {(row["object_type"], row["object_id"]), (row["object_type"], row["object_name"])} & labels for row in prod
    )


def test_a_label_that_names_nothing_or_is_unusual_gives_a_warning_with_its_line(organisation: Organisation) -> None:
    line = len(organisation.reaches["prod"].objects.labels) + 2
    about_labels = [warning for warning in organisation.warnings if "objects.csv" in warning]

    assert about_labels[0] == f"warning: objects.csv, line {line}: there is no data model 'No Such Model'"
    assert about_labels[1].startswith(f"warning: objects.csv, line {line}: 'orange' is not a usual sensitivity")
    assert len(about_labels) == 2


def test_each_grant_counts_the_active_accounts_that_it_reaches(organisation: Organisation) -> None:
    found = organisation.rows("select * from graph.object_grants where granted_to_type not in ('role', 'invitation')")

    assert {
        (
            row["source"],
            row["object_type"],
            row["object_id"],
            row["level"],
            row["granted_to_id"],
            row["accounts_reached"],
        )
        for row in found
    } == {
        (source, *path[:3], path.via_id, None if path.via == "public" else len(reach.reached(path)))
        for source, reach in organisation.reaches.items()
        for path in reach.all_grants
    }


def sample(values: Iterable[str], count: int = 50) -> list[str]:
    found = sorted(set(values))
    return random.Random(SEED).sample(found, min(count, len(found)))


def test_what_fifty_accounts_reach_equals_the_plain_computation(organisation: Organisation) -> None:
    for account_id in sample(organisation.reaches["prod"].users):
        rows = organisation.rows(QUERIES["reach_of_account"], account=account_id)

        assert Counter(
            (row["source"], row["object_type"], row["object_id"], row["level"], row["path"]) for row in rows
        ) == Counter(
            (source, *path[:3], organisation.path(source, account_id, path, object_id=path.object_id))
            for source, reach in organisation.reaches.items()
            for path in reach.of_account(account_id)
        )


def test_who_reaches_fifty_objects_equals_the_plain_computation(organisation: Organisation) -> None:
    ids = (path.object_id for reach in organisation.reaches.values() for path in reach.all_grants)
    for object_id in sample(ids):
        rows = organisation.rows(QUERIES["reach_of_object"], object=object_id)

        assert Counter((row["source"], row["account_id"], row["level"], row["path"]) for row in rows) == Counter(
            (source, account_id, path.level, organisation.path(source, account_id, path, object_id=object_id))
            for source, reach in organisation.reaches.items()
            for account_id, paths in reach.of_object(object_id).items()
            for path in paths
        )


def test_the_rows_that_fifty_accounts_see_equal_the_plain_computation(organisation: Organisation) -> None:
    reaches = organisation.reaches
    named = {
        party["partyId"]
        for model in reaches["prod"].objects.models
        for rule in model.rules
        for party in rule["shares"]
        if party["type"] == "user"
    }
    for account_id in {*sample(reaches["prod"].users), *sample(named & {*reaches["prod"].users}, 10)}:
        rows = organisation.rows(QUERIES["row_access_of_account"], account=account_id)

        columns = ("source", "model_id", "table_name", "column_name", "access", "value_count")
        assert Counter(tuple(row[column] for column in columns) for row in rows) == Counter(
            (source, model.model_id, *place, access.access, access.value_count)
            for source, reach in reaches.items()
            for model in reach.objects.models
            for place, access in reach.row_access(account_id, model).items()
        )


def test_rules_wider_than_those_of_the_groups_equal_the_plain_computation(organisation: Organisation) -> None:
    found = organisation.rows(
        "select source, account_id, model_id, table_name, column_name from graph.own_row_access where is_wider"
    )

    expected = set()
    for source, reach in organisation.reaches.items():
        for model in reach.objects.models:
            columns: dict[tuple[str, str], list[Any]] = {}
            for rule in model.rules:
                columns.setdefault((rule["table"], rule["column"]), []).append(rule)
            for place, rules in columns.items():
                for account_id in reach.users:
                    own, of_groups, _ = reach.levels(account_id, rules)
                    if own and of_groups and fakes.is_wider(own, of_groups):
                        expected.add((source, account_id, model.model_id, *place))
    assert expected
    assert {tuple(row.values()) for row in found} == expected
