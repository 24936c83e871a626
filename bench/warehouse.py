"""Landing, building and writing a large population, compared with the least work that DuckDB would need for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from bench import material
from bench.harness import Row, alternate, in_child, ratios, times
from pipeline.reporting import csv
from pipeline.warehouse import database, files


def land(quick: bool, folder: Path) -> list[Row]:
    accounts = size(quick)
    spool = material.spooled(folder, accounts)
    bare_read = "format = 'unstructured', records = false, columns = {list: 'json[]'}"
    tables = {
        name: files.json(sorted((spool / "prod").glob(f"{name}-*.json")), bare_read) for name in ("users", "groups")
    }
    peaks: list[float] = []
    checking: list[float] = []

    def ours() -> float:
        work = fresh(folder / "land")
        material.configure(work, accounts)
        done = in_child("land", str(work), str(spool))
        peaks.append(done["peak_mb"])
        checking.append(done["checking"])
        return float(done["seconds"])

    def bare() -> None:
        work = fresh(folder / "bare")
        with duckdb.connect(str(work / "bare.duckdb")) as connection:
            for name, pages in tables.items():
                connection.execute(
                    f"create table {name} as select unnest(list) as payload from {pages.sql}", pages.values
                )

    seconds = alternate(2 if quick else 3, {"land": ours, "bare": bare})
    shutil.rmtree(folder / "bare")
    before = [whole - checked for whole, checked in zip(seconds["land"], checking, strict=True)]
    return [
        Row(
            f"land {accounts:,} accounts, with the completeness checks",
            "bare `read_json` of the same pages, users and groups, into JSON columns",
            ratios(seconds["land"], seconds["bare"]),
            "x",
            1.5,
            f"{times(seconds['land'])} against {times(seconds['bare'])}; {max(peaks):.0f} MB",
        ),
        Row(
            f"land {accounts:,} accounts, before the completeness checks",
            "the same bare read",
            ratios(before, seconds["bare"]),
            "x",
            1.3,
            times(before),
        ),
        Row(
            f"the completeness checks of {accounts:,} accounts",
            "the same bare read",
            ratios(checking, seconds["bare"]),
            "x",
            None,
            f"{times(checking)}; most of it reads the records again",
        ),
    ]


def build(quick: bool, folder: Path) -> list[Row]:
    work = landed(folder, size(quick))
    built: list[dict[str, float]] = []
    again: list[dict[str, float]] = []
    copied: list[float] = []
    for _ in range(1 if quick else 2):
        with database.writing(work / "bench.duckdb", notify=print) as connection:
            connection.execute("delete from meta.made_from")  # so that every table is made
        built.append(in_child("build", str(work)))
        again.append(in_child("build_again", str(work)))
        copied.append(in_child("copy", str(work))["seconds"])
    with database.reading(work / "bench.duckdb", notify=print) as connection:
        accounts, memberships = connection.execute(
            "select (select count(*) from graph.accounts), (select count(*) from graph.memberships)"
        ).fetchall()[0]
    what = f"all models of the build, {accounts:,} accounts and {memberships:,} memberships"
    seconds = [done["seconds"] for done in built]
    return [
        Row(f"{what}: time", "the clock", seconds, "s", 45),
        Row(
            f"{what}: time",
            "copying the finished tables into another database, computing nothing",
            ratios(seconds, copied),
            "x",
            None,
            f"{times(seconds)} against {times(copied)}: what writing alone takes here",
        ),
        Row(
            "the same once more with a changed threshold: time",
            "the clock",
            [done["seconds"] for done in again],
            "s",
            15,
            f"{times([done['cpu_seconds'] for done in again])} of processor time; "
            "only what depends on the threshold is made anew",
        ),
        Row(f"{what}: peak memory", "3 GB", [done["peak_mb"] for done in built], "MB", 3_000),
    ]


def population_csv(quick: bool, folder: Path) -> list[Row]:
    work = built(folder, size(quick))
    with database.reading(work / "bench.duckdb", notify=print) as connection:
        rows = connection.execute("select count(*) from reports.population").fetchall()[0][0]

        def ours() -> None:
            csv.write(
                connection, "select * from reports.population", work / "population.csv", order_by="source, account_id"
            )

        def copy() -> None:
            connection.execute(
                "copy (select * from reports.population order by source, account_id) to $path (format csv, header)",
                {"path": str(work / "copy.csv")},
            ).fetchall()

        seconds = alternate(5, {"ours": ours, "copy": copy})
    return [
        Row(
            f"population.csv, {rows:,} rows, formulas neutralised and counted",
            "`COPY` of the same rows, sorted",
            ratios(seconds["ours"], seconds["copy"]),
            "x",
            1.3,
            f"{times(seconds['ours'])} against {times(seconds['copy'])}",
        )
    ]


def size(quick: bool) -> int:
    return 50_000 if quick else 1_000_000


def landed(folder: Path, accounts: int) -> Path:
    """Return the folder whose database holds one landed extract; land it on the first call."""
    work = folder / "land"
    if not (work / "bench.duckdb").exists():
        material.configure(fresh(work), accounts)
        in_child("land", str(work), str(material.spooled(folder, accounts)))
    return work


def built(folder: Path, accounts: int) -> Path:
    """Return the folder whose database holds one build; build it on the first call."""
    work = landed(folder, accounts)
    with database.writing(work / "bench.duckdb", notify=print) as connection:
        found = connection.execute(
            "select count(*) from duckdb_tables() where schema_name = 'reports' and table_name = 'population'"
        ).fetchone()
    if found == (0,):
        in_child("build", str(work))
    return work


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
