"""Building with the objects of a large instance, compared with the build without them, and asking who sees what."""

from __future__ import annotations

import time
from pathlib import Path

from bench import warehouse
from bench.harness import Row, in_child, ratios, times
from bench.object_rows import insert_objects
from bench.objects import SIZES
from bench.organisation import Organisation
from pipeline import resources
from pipeline.warehouse import database
from pipeline.warehouse.saved import load_queries

_TABLES = ("dashboards", "folders", "models", "row_rules")


def run(quick: bool, folder: Path) -> list[Row]:
    accounts = 10_000 if quick else 100_000
    work = warehouse.landed(warehouse.fresh(folder / "reach"), accounts)
    without: list[float] = []
    built: list[dict[str, float]] = []
    for _ in range(1 if quick else 2):
        _empty(work)
        without.append(in_child("build", str(work))["seconds"])
        _fill(work, accounts)
        built.append(in_child("build", str(work)))
    seconds = [done["seconds"] for done in built]
    what = (
        f"{accounts:,} accounts, {SIZES.dashboards:,} dashboards, {SIZES.models:,} models, {SIZES.shares:,} shares, "
        f"{SIZES.row_rules:,} row rules"
    )
    return [
        Row(
            f"build, {what}: time",
            "the same build without objects",
            ratios(seconds, without),
            "x",
            1.5,
            f"{times(seconds)} against {times(without)}",
        ),
        Row(f"build, {what}: peak memory", "4 GB", [done["peak_mb"] for done in built], "MB", 4_000),
        _asked(work),
    ]


def _asked(work: Path) -> Row:
    """Return how long ``reach_of_account`` takes for the accounts in the most groups, without the program's start."""
    sql = {query.name: query.sql for query in load_queries(resources.sql() / "queries")}["reach_of_account"]
    seconds = []
    with database.reading(work / "bench.duckdb", notify=print) as connection:
        accounts = connection.execute(
            "select account_id from graph.accounts order by group_count desc nulls last, account_id limit 5"
        ).fetchall()
        for (account_id,) in accounts:
            started = time.perf_counter()
            connection.execute(sql, {"account": account_id}).fetchall()
            seconds.append(time.perf_counter() - started)
    return Row("`reach_of_account` of the accounts in the most groups", "the clock", seconds, "s", 1)


def _empty(work: Path) -> None:
    with database.writing(work / "bench.duckdb", notify=print) as connection:
        for table in _TABLES:
            connection.execute(f"delete from raw.{table}")


def _fill(work: Path, accounts: int) -> None:
    objects = Organisation(accounts, SIZES).original.objects
    with database.writing(work / "bench.duckdb", notify=print) as connection:
        [(snapshot_id, source)] = connection.execute("select distinct snapshot_id, source from raw.users").fetchall()
        insert_objects(connection, snapshot_id, source, objects)
