"""A build keeps the tables of the build before that would come out the same, and makes all others anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import duckdb
import pytest

from pipeline.errors import ModelError
from pipeline.warehouse.examples import example_tables
from pipeline.warehouse.identities import names_the_build
from pipeline.warehouse.model import Model
from tests.rules import rule
from tests.warehouse.builds import EXCEPTIONS, FIRST, SECOND, named, only, swapped

STALE_ACCOUNT = rule("Stale account")
ROSTER = "person_id,email,department\np1,ann@example.com,Sales\np2,old@example.com,{department}\n"


def everything(house: Any) -> dict[str, list[Any]]:
    """Return every row of every table and view but the pages as they came, and what tables were made from."""
    names = house.rows(
        "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'raw' union all"
        " select schema_name || '.' || view_name from duckdb_views() where schema_name = 'reports' order by all"
    )
    return {name: house.rows(f"select * from {name} order by all") for (name,) in names if name != "meta.made_from"}


def made_at(house: Any) -> dict[str, int]:
    """Return a number for each table that changes when the table is made anew."""
    return dict(house.rows("select schema_name || '.' || table_name, table_oid from duckdb_tables()"))


def test_every_kind_of_change_gives_the_tables_of_a_build_from_nothing(
    house: Any, source: Any, make_user: Any, people: Any, altered: Callable[..., Model]
) -> None:
    earlier = [*people[1:], make_user("gone", lastLogin="2025-02-01T00:00:00Z")]
    first, second = (
        house.land(FIRST, {"prod": source(earlier)}),
        house.land(SECOND, {"prod": source(people)}),
    )
    one_of_each_need = {model.needs: model.name for model in house.models if model.is_rule}
    models = only(house.models, STALE_ACCOUNT, *one_of_each_need.values())
    reworded = altered(named(models, f"findings.{STALE_ACCOUNT}"), "Last seen ", "Seen last ")
    other_sql = swapped(models, reworded)
    usual = {
        "models": models, "roster": ROSTER.format(department="Sales"), "policy": {"exceptions.csv": EXCEPTIONS},
    }  # fmt: skip
    exception = {"exceptions.csv": f"{EXCEPTIONS}{STALE_ACCOUNT},,old,known,boss@example.com,2027-01-01\n"}
    changes: list[tuple[str, Any, Mapping[str, Any]]] = [
        ("the first build", first, {}),
        ("another snapshot", second, {}),
        ("a threshold", second, {"overrides": {STALE_ACCOUNT: {"stale_after_days": 30}}}),
        ("a severity", second, {"overrides": {STALE_ACCOUNT: {"severity": "info"}}}),
        ("a disabled rule", second, {"overrides": {STALE_ACCOUNT: {"enabled": False}}}),
        ("the moment", second, {"as_of": datetime(2026, 6, 1)}),  # noqa: DTZ001 - UTC, as stored
        ("a policy file", second, {"policy": exception}),
        ("the roster", second, {"roster": ROSTER.format(department="Ops")}),
        ("the SQL of one model", second, {"models": other_sql}),
        ("the earlier snapshot again", first, {"as_of": datetime(2026, 1, 2)}),  # noqa: DTZ001
        ("the baseline's content", second, {}),
    ]
    for what, snapshot, change in changes:
        built = house.build(snapshot, **{**usual, **change})
        kept = everything(house)
        house.connection.execute("delete from meta.made_from")

        again = house.build(snapshot, **{**usual, **change})

        assert again == built, what
        made = everything(house)
        assert {name for name in made if made[name] != kept.get(name)} == set(), what


def test_a_changed_threshold_makes_only_what_depends_on_it(house: Any, source: Any, people: Any) -> None:
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.build(snapshot)
    before = made_at(house)
    house.build(snapshot)
    assert made_at(house) == before

    house.build(snapshot, overrides={STALE_ACCOUNT: {"stale_after_days": 30}})

    after = made_at(house)
    made_anew = {name for name in before if after[name] != before[name]}
    assert {name.partition(".")[0] for name in made_anew} == {"findings", "reports"}
    assert {name for name in made_anew if name.startswith("findings.")} == {
        f"findings.{STALE_ACCOUNT}",
        "findings.evaluations",
        "findings.register",
    }
    assert "reports.access_findings" in made_anew
    assert "reports.held_access" not in made_anew  # the most rows of all


def test_a_failed_build_leaves_nothing_to_be_kept(
    house: Any, source: Any, people: Any, altered: Callable[..., Model]
) -> None:
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.build(snapshot)
    expected = everything(house)
    broken = altered(
        named(house.models, "reports.summary"), r"(?m)^select section,", "select error('broken') as section,"
    )
    with pytest.raises(ModelError):
        house.build(
            snapshot,
            models=swapped(house.models, broken),
            overrides={STALE_ACCOUNT: {"stale_after_days": 30}},
        )

    house.build(snapshot)

    assert everything(house) == expected


def test_a_table_that_was_changed_by_hand_in_its_number_of_rows_is_made_anew(
    house: Any, source: Any, people: Any
) -> None:
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.build(snapshot)
    expected = everything(house)
    house.connection.execute(
        "drop table graph.accounts; create table reports.left_over as select 1 as a; drop view reports.access;"
        "create table reports.access as select 2 as b; create view reports.posing as select 3 as c"
    )

    house.build(snapshot)

    assert everything(house) == expected


def test_only_models_that_name_a_column_of_the_build_depend_on_it(models: list[Model]) -> None:
    readers = [model for model in models if "reference.snapshot" in model.reads and not names_the_build(model)]
    assert readers
    with example_tables(models) as connection:
        connection.execute("alter table reference.snapshot drop column build_id")
        connection.execute("alter table reference.snapshot drop column folder")
        for model in readers:
            for text in filter(None, [model.sql, model.population]):
                statement = connection.extract_statements(text)[0]
                values = {"as_of": datetime(2026, 1, 1), "snapshot_id": "example", **model.params}  # noqa: DTZ001
                used = {name: values[name] for name in statement.named_parameters}
                try:
                    columns = [column[0] for column in connection.execute(text, used).description]
                except duckdb.BinderException as error:
                    pytest.fail(f"{model.table}: {error}")
                if text == model.sql and model.columns:
                    assert columns == [column.name for column in model.columns]
