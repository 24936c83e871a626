"""Each rewrite makes a statement mean on Spark what it means in DuckDB, and is still needed for that."""

import os

import duckdb
import pytest

from pipeline.engines import rewrites
from pipeline.engines.connection import Refused, SparkConnection
from pipeline.engines.translation import Macro, UnsupportedError, macros, translate
from tests.engines.server import SPARK_URL

pytestmark = pytest.mark.xdist_group("engines")

#: By rewrite: a select whose rows it makes equal.
STATEMENTS = {
    "unmaterialized": "with t as materialized (select 1 as a) select a from t",
    "cross_join_first": """
        select a.x, b.y, c.z from (values (1), (2)) as a(x)
        cross join (select 3 as y) as b left join (select 2 as x, 4 as z) as c on c.x = a.x
    """,
    "group_by_all": "select a, b || '.' as c, sum(d) as e from (values (1, 'x', 2)) as t(a, b, d) group by all",
    "day_interval": """
        select cast('2026-03-01 10:00:00' as timestamp) - interval (n) day as a,
            cast('2026-03-01' as timestamp) + to_days(n) as b
        from (values (1), (40)) as t(n)
    """,
    "day_difference": """
        select date_diff('day', cast(a as timestamp), cast(b as timestamp)) as days
        from (values ('2026-01-01 23:00', '2026-01-02 01:00'), ('2026-01-02 01:00', '2026-01-01 23:00')) as t(a, b)
    """,
    "truncated_time": "select date_trunc('second', cast('2026-01-01 10:00:00.5' as timestamp)) as time",
    "seconds_of_difference": """
        select epoch(cast(a as timestamp) - cast(b as timestamp)) as seconds
        from (values ('2026-01-02 00:00:00.5', '2026-01-01 00:00:00')) as t(a, b)
    """,
    "aggregated_list": """
        select
            a, list(b order by c) as sorted, list(b) filter (where b > '5') as none,
            list_sort(list(distinct b)) as some,
            string_agg(b, '+' order by c) as text, string_agg(distinct b, '+' order by b) as texts
        from (values ('x', '1', 3), ('x', '2', 2), ('x', '1', 1), ('y', '4', 1)) as t(a, b, c) group by a
    """,
    "list_slice": "select (list(a order by a))[:2] as first from (values (1), (3), (2)) as t(a)",
    "split_by_text": "select string_split(a, '. ') as parts from (values ('a. b. cd e')) as t(a)",
    "grouped_digits": "select format('{:,}', a) as text from (values (1234567), (12)) as t(a)",
    "json_object": """
        select cast({'a': a, 'b': [b]} as json) as text
        from (values (1, 'x'), (2, 'quoted "y"'), (null, null)) as t(a, b)
    """,
    "decimal_literal": "select case when a > 5 then 0.0 else a / 2 end as share from (values (3), (7)) as t(a)",
    "rounding": "select round(a, 2) || ' %' as text from (values (1.005::double), (11.35::double)) as t(a)",
}
#: What one of the two servers does as DuckDB does.
NEEDLESS_ON_SAIL = {"cross_join_first", "day_difference", "rounding", "truncated_time"}
NEEDLESS_ON_SPARK = {"cross_join_first", "group_by_all", "split_by_text", "decimal_literal"}


def result(
    session: SparkConnection, statement: str, known: dict[str, Macro] | None = None, without: str = ""
) -> object:
    used = [rewrite for rewrite in rewrites.REWRITES if rewrite.__name__ != without]
    try:
        return sorted(list(map(str, row)) for row in session.rows(translate(statement, {}, known or {}, used), {}))
    except (Refused, UnsupportedError) as error:
        return str(error)


def in_duckdb(statement: str) -> object:
    with duckdb.connect() as connection:
        return sorted(list(map(str, row)) for row in connection.execute(statement).fetchall())


@pytest.mark.parametrize("name", [rewrite.__name__ for rewrite in rewrites.REWRITES])
def test_a_rewrite_makes_the_rows_equal_which_differ_without_it(session: SparkConnection, name: str) -> None:
    statement = STATEMENTS[name]

    expected = in_duckdb(statement)

    assert result(session, statement) == expected
    if name not in (NEEDLESS_ON_SPARK if SPARK_URL in os.environ else NEEDLESS_ON_SAIL):
        assert result(session, statement, without=name) != expected


def test_what_is_cross_joined_comes_first_unless_that_would_move_columns() -> None:
    statement = "select a.x from s.a as a join s.c as c on c.x = a.x cross join s.b as b"

    assert translate(statement, {}, {}).endswith("FROM s__b AS b CROSS JOIN s__a AS a JOIN s__c AS c ON c.x = a.x")
    assert translate("select * from s.a as a cross join s.b as b", {}, {}).endswith("s__a AS a CROSS JOIN s__b AS b")


def test_a_macro_of_ours_is_written_out(session: SparkConnection) -> None:
    definitions = """
create or replace macro grouped(number) as format('{:,}', cast(number as bigint));
create or replace macro counted(number, noun) as
    grouped(number) || ' ' || noun || case when number = 1 then '' else 's' end;
"""
    statement = "select counted(a, 'day') as text from (values (1), (2000)) as t(a)"

    assert result(session, statement, macros(definitions)) == [["1 day"], ["2,000 days"]]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("select json_transform(a, '{}') from t", "json_transform"),
        ("select list(a order by a desc) from t", "descending order"),
        ("select date_diff('hour', a, b) from t", "difference in hours"),
        ("select a + interval (b) month from t", "months"),
    ],
)
def test_what_has_no_equal_is_refused(statement: str, reason: str) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        translate(statement, {}, {})
