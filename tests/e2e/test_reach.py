"""Reach and row access of a build equal the plain computation, for two sources whose accounts share their ids."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline import resources
from pipeline.simulator.objects import ObjectSizes
from pipeline.simulator.population import Population, build
from pipeline.simulator.server import Simulator
from pipeline.warehouse import adhoc, database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.saved import load_queries
from tests.e2e.program import Outcome, run_command
from tests.fakes import reach as fakes
from tests.fakes.reach import Reach

ACCOUNTS, SEED = 500, 7
#: The second source has the accounts of the first, and other objects, of which many have the same ids.
OTHER_SIZES = ObjectSizes(dashboards=20, models=9, shares=120, row_rules=60)
QUERIES = {query.name: query.sql for query in load_queries(resources.sql() / "queries")}


@dataclass(frozen=True)
class Organisation:
    """A build of two sources, what each must show, and the names that the paths use."""

    connection: Connection
    reaches: Mapping[str, Reach]
    names: Mapping[tuple[str, str, str], str]
    warnings: list[str]

    def rows(self, sql: str, **values: object) -> list[dict[str, Any]]:
        columns, rows = adhoc.run(self.connection, sql, values)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def path(self, source: str, account_id: str, path: fakes.Path, *, object_id: str) -> str:
        """Return a path in words: ``Ann Ek > group Sales > dashboard Orders``."""
        name = self.names.get((source, path.object_type, object_id))
        target = f"{path.object_type} {name}" if object_id else f"every {path.object_type}"
        steps = [self.names[source, "account", account_id]]
        if path.via in {"group", "everyone", "role"}:
            kind = "role" if path.via == "role" else "group"
            steps.append(f"{kind} {self.names[source, kind, path.via_id]}")
        return " > ".join([*steps, f"owner of {target}" if path.via == "owner" else target])


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    folder = tmp_path_factory.mktemp("reach")
    populations, warnings = build_two_sources(folder)
    with database.sandbox(folder / "access-review.duckdb", notify=pytest.fail) as connection:
        yield described(connection, populations, warnings)


def build_two_sources(folder: Path) -> tuple[dict[str, Population], list[str]]:
    """Build two sources of two servers; return what they hold, and the warnings of the build."""
    other = build(ACCOUNTS, SEED, datetime.now(UTC), OTHER_SIZES)
    with Simulator(ACCOUNTS, SEED) as first, Simulator(population=other) as second:
        first.write_files(folder)
        with (folder / "policy" / "objects.csv").open("a", encoding="utf-8") as labels:
            labels.write("model,No Such Model,orange,\n")
        configuration = folder / "access-review.toml"
        text = configuration.read_text(encoding="utf-8")
        added = f'[sources.test]\nkind = "sisense"\nurl = "{second.url}"\nusername = "{second.username}"\n\n[roster]'
        configuration.write_text(text.replace("[roster]", added), encoding="utf-8")
        secrets = {"ACCESS_REVIEW_PROD_PASSWORD": first.password, "ACCESS_REVIEW_TEST_PASSWORD": second.password}
        done(run_command(folder, "extract", **secrets))
    populations = {"prod": first.population, "test": second.population}
    return populations, done(run_command(folder, "build", **secrets)).stderr.splitlines()


def done(outcome: Outcome) -> Outcome:
    assert outcome.code == 0, outcome.stderr
    return outcome


def described(connection: Connection, populations: Mapping[str, Population], warnings: list[str]) -> Organisation:
    reaches = {source: Reach(population, population.objects) for source, population in populations.items()}
    names = {
        (source, kind, found): name
        for source, kind, found, name in connection.execute(
            "select source, 'account', account_id, display_name from graph.accounts"
            " union all select source, entitlement_type, entitlement_id, entitlement_name from graph.entitlements"
            " union all select source, object_type, object_id, object_name from graph.objects"
        ).fetchall()
    }
    return Organisation(connection, reaches, names, warnings)


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

    assert about_labels[0] == f"warning: objects.csv, line {line}: there is no model 'No Such Model'"
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
