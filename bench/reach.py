"""The objects of a large instance: reading them with latency, building with them, and asking who sees what."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from bench import warehouse
from bench.harness import Row, in_child, ratios, times
from bench.instance import serving
from bench.object_rows import insert_objects
from bench.objects import SIZES
from bench.organisation import Organisation
from pipeline import resources
from pipeline.warehouse import database
from pipeline.warehouse.saved import load_queries

_TABLES = ("dashboards", "folders", "models", "row_rules")
_DELAY = 0.1
_AT_ONCE = 8
_PAGE = 500


def run(quick: bool, folder: Path) -> list[Row]:
    """Measure the extract, the build and the question."""
    accounts = 10_000 if quick else 100_000
    return [*_extract(quick, folder, accounts), *_build(quick, folder, accounts)]


def _extract(quick: bool, folder: Path, accounts: int) -> list[Row]:
    requests = _requests(Organisation(accounts, SIZES))
    law = sum(math.ceil(count / _AT_ONCE) for count in requests.values()) * _DELAY
    done: list[dict[str, float]] = []
    with serving(accounts, delay_ms=round(_DELAY * 1000), has_objects=True) as server:
        for _ in range(1 if quick else 2):
            spool = folder / "reach-spool"
            done.append(in_child("pull", str(spool), str(server.port), str(accounts), str(_AT_ONCE), "objects"))
            shutil.rmtree(spool)
    seconds = [each["seconds"] for each in done]
    what = f"extract, {_size(accounts)}, {_PAGE} a page, 100 ms an answer, {_AT_ONCE} at once"
    counted = ", ".join(f"{name} {count:,}" for name, count in requests.items())
    return [
        Row(
            f"{what}: time",
            f"the sum of ceil(requests / {_AT_ONCE}) x 100 ms over what must be requested, {law:.1f} s",
            [each / law for each in seconds],
            "x",
            1.3,
            f"{times(seconds)}; requests: {counted}. Not in the sum: the probes, and the second reading that proves "
            "the end of each list without a count",
        ),
        Row(f"{what}: peak memory", "4 GB", [each["peak_mb"] for each in done], "MB", 4_000),
    ]


def _requests(organisation: Organisation) -> Mapping[str, int]:
    """Return the fewest requests that can read the instance, by what they read; each kind has a round of its own."""
    objects = organisation.original.objects
    extracts = sum(not model.is_live for model in objects.models)

    def pages(records: int) -> int:
        return math.ceil(records / _PAGE)

    return {
        "status": 1,
        "caller and count": 2,
        "pages of accounts": pages(organisation.accounts),
        "list of roles": 1,
        "pages of groups": pages(sum(1 for _ in organisation.groups())),
        "pages of dashboards": pages(len(objects.dashboards)),
        "dashboards' shares": len(objects.dashboards),
        "pages of folders": pages(len(objects.folders)),
        "list of model servers": 1,
        "pages of extract models": pages(extracts),
        "list of live models": 1,
        "models' row rules": len(objects.models),
        "seats and sign-on": 3,
        "list of mailed reports": 1,
        "mailed reports' recipients": len(objects.reports),
        "list of tenants": 1,
    }


def _size(accounts: int) -> str:
    return (
        f"{accounts:,} accounts, {SIZES.dashboards:,} dashboards, {SIZES.models:,} models, {SIZES.shares:,} shares, "
        f"{SIZES.row_rules:,} row rules"
    )


def _build(quick: bool, folder: Path, accounts: int) -> list[Row]:
    work = warehouse.landed(warehouse.fresh(folder / "reach"), accounts)
    without: list[dict[str, float]] = []
    built: list[dict[str, float]] = []
    for _ in range(1 if quick else 2):
        _empty(work)
        without.append(in_child("build", str(work)))
        _fill(work, accounts)
        built.append(in_child("build", str(work)))
    seconds, worked = ([done[key] for done in built] for key in ("seconds", "cpu_seconds"))
    bare, bare_worked = ([done[key] for done in without] for key in ("seconds", "cpu_seconds"))
    what = _size(accounts)
    return [
        Row(
            f"build, {what}: time",
            "the same build without objects",
            ratios(seconds, bare),
            "x",
            1.5,
            f"{times(seconds)} against {times(bare)}",
        ),
        Row(
            f"build, {what}: CPU seconds, which other work on the machine changes less",
            "the same build without objects",
            ratios(worked, bare_worked),
            "x",
            None,
            f"{times(worked)} against {times(bare_worked)}",
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
