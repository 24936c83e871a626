"""A statement that shows its grain is believed; one that only looks like it is not, and its rows are counted."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ModelError
from pipeline.warehouse import checks, database
from pipeline.warehouse.executor import InDuckDB
from pipeline.warehouse.model import Model
from pipeline.warehouse.statement import Statement, key_is_proven

#: A table whose rows are in no order, with equal, missing and cased values.
GIVEN = """
    create schema given;
    create table given.rows as
    select * from (values
        ('s', 'a', 'A', 1, [1, 2]), ('s', 'a', 'a', 2, [1]), ('s', null, 'b', 1, [3, 3]), ('s', null, 'B', 1, []),
        ('t', 'b', 'b', null, [1]), ('t', 'b', 'b', null, [1]), (null, null, null, null, null)
    ) as rows(source, id, name, place, numbers);
    create table given.others as select source, id, {'id': place} as record from given.rows;
"""

SHOWN = {
    "select source, id, count(*) as n from given.rows group by source, id": {"source", "id"},
    "select source, lower(name) as key, min(id) as id from given.rows group by source, lower(name)": {
        "source", "key",
    },
    "select r.source as s, r.id as t from given.rows as r group by r.id, r.source": {"s", "t"},
    "select min(place) as place, source, lower(name) as key from given.rows group by 2, 3": {"source", "key"},
    "select source, id, count(*) as n from given.rows group by source, id having n > 1 order by n limit 2": {
        "source", "id",
    },
    "select distinct source, coalesce(name, '') as name from given.rows": {"source", "name"},
    "select distinct source, unnest(numbers) as number from given.rows": None,
    "select source, id, name from given.rows qualify row_number() over (partition by source, id order by name) = 1": {
        "source", "id",
    },
    """select source, lower(name) as key from given.rows where source is not null
    qualify place is null and row_number() over (partition by lower(name), source order by id) = 1""": {
        "source", "key",
    },
    "select id from given.rows qualify row_number() over (order by name, id) = 1": set(),
    """with a as (select source, id, sum(place) as n from given.rows group by source, id)
    select upper(a.source) as shown, a.id as account, a.source from a where n > 0""": {"source", "account"},
    """with a as (select distinct id from given.rows), b as (select id as key from a)
    select key, 'x' as kind from b as known""": {"key"},
}  # fmt: skip

NOT_SHOWN = [
    "select source, id from given.rows",
    "select source, id from given.rows group by source, id union all select source, id from given.rows",
    "select source, count(*) as n from given.rows group by source, id",
    "select source, id, count(*) as n from given.rows group by rollup (source, id)",
    "select source, id, count(*) as n from given.rows group by grouping sets ((source, id), (source))",
    "select source, id, count(*) as n from given.rows group by cube (source, id)",
    "select source, id, count(*) as n from given.rows group by all",
    # The grouping is by the column of the table, not by what the select calls so.
    "select source, lower(name) as name from given.rows group by source, name",
    "select source, left(name, 1) as id, id as name from given.rows group by source, id, name",
    "select lower(source) as source, name from given.rows group by given.rows.source, name",
    "select source, lower(name) as key from given.rows group by source, upper(name)",
    "select source, id, unnest(list(place)) as place from given.rows group by source, id",
    "select source, id, unlist(list(place)) as place from given.rows group by source, id",
    "select source, id, 1 + UNNEST(list(place)) as place from given.rows group by source, id",
    "select source, id, generate_subscripts(list(place), 1) as place from given.rows group by source, id",
    "select source, regexp_split_to_table('a,b', ',') as id from given.rows group by source",
    "select source, list(id) as id from given.rows group by source, name"
    " qualify row_number() over (partition by source, list(id)) = 1",
    "select source, row_number() over (partition by source, id) = 1 as id from given.rows",
    "select distinct on (source) source, id from given.rows",
    "select distinct * from given.rows",
    "select source, id from (select distinct source, id, name from given.rows)",
    "select source, id from given.rows qualify row_number() over (partition by source, id order by name) <= 2",
    "select source, id from given.rows qualify row_number() over (partition by source, id order by name) = 2",
    "select source, id from given.rows qualify rank() over (partition by source, id order by source) = 1",
    "select source, id from given.rows qualify dense_rank() over (partition by source, id order by source) = 1",
    "select source from given.rows qualify row_number() over (partition by source, id order by name) = 1",
    """select source, id from given.rows
    qualify row_number() over (partition by source, id order by name) = 1 or source = 't'""",
    "select source, id from given.rows qualify not (row_number() over (partition by source, id order by name) = 1)",
    "select source, id from given.rows qualify row_number() over (partition by source, id order by name) = place",
    "select upper(source) as source, source as s, id from given.rows"
    " qualify row_number() over (partition by source, id order by name) = 1",
    "with a as (select source, id from given.rows group by source, id) select source from a",
    "with a as (select distinct source, id from given.rows) select lower(source) as source, id from a",
    "with a as (select distinct source, id from given.rows) select source, id from a group by rollup (source, id)",
    "with a as (select distinct source, id from given.rows) select a.source, a.id from a join given.rows on true",
    "with a as (select distinct source, id from given.rows) select a.source, a.id from a, given.rows",
    "with a as (select distinct source, id from given.rows) select source, id, unnest([1, 2]) as n from a",
    # Not the CTE of that name, or other columns of it.
    "with rows as (select distinct source, id from given.rows) select source, id from given.rows",
    "with a (x, source) as (select id as source, min(place) as n from given.rows group by id) select source from a",
    "with a as (select id, min(place) as n from given.rows group by id) select id as source from a as b (x, id)",
    """with a as (select distinct source, id from given.rows),
    b as (with a as (select source, id from given.rows) select source, id from a) select source, id from b""",
    "select record.id from given.others group by record.id, source",
    "select (select max(id) from given.rows) as key from given.rows group by 1, place",
]


def key(text: str) -> set[str] | None:
    with duckdb.connect() as connection:
        found = Statement.parse(text, lambda: connection, where="test").key
    return None if found is None else set(found)


def most_rows_of_a_key(text: str, columns: set[str]) -> int:
    with duckdb.connect() as connection:
        connection.execute(GIVEN)
        keys = ", ".join(sorted(columns)) or "true"
        counted = f"select coalesce(max(n), 0) from (select count(*) as n from ({text}) group by {keys})"
        return int(connection.execute(counted).fetchall()[0][0])


@pytest.mark.parametrize("text", SHOWN)
def test_a_statement_shows_a_key_that_its_rows_have(text: str) -> None:
    assert key(text) == SHOWN[text]
    if (columns := SHOWN[text]) is not None:
        assert most_rows_of_a_key(text, columns) == 1


@pytest.mark.parametrize("text", NOT_SHOWN)
def test_a_statement_that_looks_alike_shows_none(text: str) -> None:
    found = key(text)
    assert found is None or not found <= {"source", "id"}
    if found is not None:
        assert most_rows_of_a_key(text, found) == 1


def test_no_other_function_makes_several_rows_of_one() -> None:
    """What a statement calls is not looked into: a function that hides ``unnest`` would break every proof."""
    known = ("generate_subscripts", "regexp_split_to_table")
    with database.in_memory() as connection:
        hiding = connection.execute(
            """
            select distinct function_name from duckdb_functions() where function_type = 'macro'
            and regexp_matches(macro_definition, '(?i)unnest|unlist|generate_subscripts|regexp_split_to_table')
            """
        ).fetchall()
    assert sorted(name for (name,) in hiding) == [*known]
    assert [key(f"select id, {name}([1], 1) as n from given.rows group by id") for name in known] == [None, None]


def model(statement: str) -> Model:
    grain = ("source", "account_id")
    return Model(Path("copied.sql"), "graph", "copied", statement, "", "", ("given.accounts",), grain)


@pytest.mark.parametrize("rows", [9, 20_000])
def test_a_key_that_a_statement_shows_may_still_be_missing(rows: int) -> None:
    copied = model("select source, account_id from given.accounts group by source, account_id")
    with duckdb.connect() as connection:
        connection.execute(
            "create schema given; create schema graph; create table given.accounts as "
            f"select 's' as source, case when i > 2 then 'a' || i end as account_id from range({rows}) as t(i)"
        )
        assert key_is_proven(copied.sql, copied.grain, connection)
        executor = InDuckDB(connection)
        made = executor.create(copied, {})
        with pytest.raises(ModelError, match="1 row without it, 0 values more than once"):
            checks.verify_grains(executor, [copied], {copied.table: made}, proven=[copied.table])
        connection.execute("delete from graph.copied where account_id is null")
        checks.verify_grains(executor, [copied], {copied.table: made}, proven=[copied.table])


def test_keys_of_a_large_table_are_counted_unless_its_statement_shows_them(models: list[Model]) -> None:
    copied = model("select source, account_id from given.accounts")
    with duckdb.connect() as connection:
        connection.execute(
            "create schema given; create schema graph; create table given.accounts as "
            "select 's' as source, 'a' || i // 2 as account_id from range(20000) as t(i)"
        )
        assert not key_is_proven(copied.sql, copied.grain, connection)
        executor = InDuckDB(connection)
        made = executor.create(copied, {})
        with pytest.raises(ModelError, match="0 rows without it, 10,000 values more than once"):
            checks.verify_grains(executor, [copied], {copied.table: made})

        shown = {each.table for each in models if each.grain and key_is_proven(each.sql, each.grain, connection)}
    assert {"staging.memberships", "staging.groups"} <= shown
    # Joins, and tables of several origins: these can break.
    assert not {"graph.accounts", "graph.effective_access", "graph.edges"} & shown
