"""Peers of single steps: dlt for pulling and loading, the csv module for files."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from bench import material, warehouse
from bench.harness import Row, alternate, in_child, times
from bench.instance import serving
from pipeline.warehouse import database


def dlt_load(quick: bool, folder: Path) -> list[Row]:
    """Pull and land the same accounts with this program and with dlt's rest_api source, in separate processes."""
    accounts = 5_000 if quick else 100_000
    rounds = 1 if quick else 2
    ours: list[float] = []
    theirs: list[float] = []
    peaks: dict[str, list[float]] = {"ours": [], "dlt": []}
    with serving(accounts) as server:
        for _ in range(rounds):
            work = warehouse.fresh(folder / "dlt")
            material.configure(work, accounts)
            spool = str(work / "spool")
            pulled = in_child("pull", spool, str(server.port), str(accounts), "4")
            landed = in_child("land", str(work), spool)
            ours.append(pulled["seconds"] + landed["seconds"])
            peaks["ours"].append(max(pulled["peak_mb"], landed["peak_mb"]))
            loaded = in_child("dlt", str(warehouse.fresh(folder / "dlt")), server.url, server.token)
            theirs.append(loaded["seconds"])
            peaks["dlt"].append(loaded["peak_mb"])
    shutil.rmtree(folder / "dlt")
    return [
        Row(
            f"pull and land {accounts:,} accounts without latency, every record hashed, checked and proven",
            "dlt `rest_api` into DuckDB, the same accounts",
            [a / b for a, b in zip(ours, theirs, strict=True)],
            "x",
            None if quick else 1 / 30,  # with so few accounts, starting two processes takes longer than it saves
            f"{times(ours)} and {max(peaks['ours']):.0f} MB against {times(theirs)} and {max(peaks['dlt']):.0f} MB",
        )
    ]


def csv_module(quick: bool, folder: Path) -> list[Row]:
    """Write population.csv with Python's csv module, from the rows of the same table."""
    work = warehouse.built(folder, warehouse.size(quick))
    query = "select * from reports.population order by source, account_id"
    with database.reading(work / "bench.duckdb", notify=print) as connection:

        def module() -> None:
            cursor = connection.execute(query)
            with (work / "module.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                while rows := cursor.fetchmany(10_000):
                    writer.writerows(rows)

        def copy() -> None:
            connection.execute(f"copy ({query}) to $path (format csv, header)", {"path": str(work / "copy.csv")})

        seconds = alternate(1 if quick else 2, {"module": module, "copy": copy})
    return [
        Row(
            "the same rows by Python's `csv` module, nothing neutralised: why population.csv is not written so",
            "`COPY` of the same rows, sorted",
            [a / b for a, b in zip(seconds["module"], seconds["copy"], strict=True)],
            "x",
            None,
            f"{times(seconds['module'])} against {times(seconds['copy'])}",
        )
    ]
