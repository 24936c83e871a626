"""Jobs that are measured in a separate process: ``python -m bench.child JOB ARGUMENT...`` prints JSON.

Each reports its duration without the imports, and the peak memory of the process.
"""

from __future__ import annotations

import html
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench import harness, material
from bench.instance import Instance
from bench.organisation import Organisation
from pipeline import Project, inputs, resources
from pipeline.spool import Spool
from pipeline.warehouse import completeness, database, landing


def pull(folder: str, port: str, accounts: str, concurrency: str, *more: str) -> dict[str, float]:
    """Extract the accounts, and with ``objects`` the dashboards, models and settings too."""
    from pipeline.sources.extract import ExtractJob
    from pipeline.sources.sisense import extract as sisense

    server = Instance(int(port), int(accounts), 500)
    source = replace(server.source(int(concurrency)), objects="auto" if more else False)
    spool = Spool.create(Path(folder))
    job = ExtractJob(source, spool, lambda _what, _done, _total: None, row_key=b"bench")
    began = time.perf_counter()
    outcome = sisense.extract(job, server.credentials)
    took = time.perf_counter() - began
    spool.close()
    assert outcome.error is None
    assert not [check for check in outcome.observations if check.result == "FAIL"]
    return {"seconds": took}


def directory(folder: str, port: str, kind: str) -> dict[str, float]:
    """Extract the people of a directory; ``pages`` are the seconds from the first to the last request for them.

    ``cpu_ms`` is the processor time of the whole extract by page of people, in milliseconds.
    """
    from datetime import datetime

    from pipeline.settings import Credentials, Secret, SourceSettings
    from pipeline.sources.directories.extract import extract
    from pipeline.sources.extract import ExtractJob

    url, token = f"http://127.0.0.1:{port}", Secret("synthetic-bench-token")
    secrets = {"okta": Credentials(None, None, token), "entra": Credentials("client", token, None)}
    source = SourceSettings(
        name="idp", kind="okta" if kind == "okta" else "entra", url=url, page_size=1000, tenant="t",
        client_id="client", authority=url,
    )  # fmt: skip
    spool = Spool.create(Path(folder))
    began, cpu = time.perf_counter(), time.process_time()
    outcome = extract(ExtractJob(source, spool, lambda _what, _done, _total: None), secrets[kind])
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    spool.close()
    assert outcome.error is None
    assert not [check for check in outcome.observations if check.result == "FAIL"]
    accepted = outcome.accepted_sweeps["directory_users"]
    pages = [page for page in spool.pages() if page.resource == "directory_users"]
    first = min(datetime.fromisoformat(page.started_at) for page in pages)
    last = max(datetime.fromisoformat(page.fetched_at) for page in pages)
    people = sum(page.items for page in pages if page.sweep == accepted)
    per_page = cpu * 1000 / len(pages)
    return {"seconds": took, "pages": (last - first).total_seconds(), "people": people, "cpu_ms": per_page}


def land(folder: str, spool: str, snapshot_id: str = material.SNAPSHOT) -> dict[str, float]:
    settings = material.settings(Path(folder))
    checking = 0.0
    check = completeness.check

    def timed_check(*arguments: Any) -> None:
        nonlocal checking
        began = time.perf_counter()
        check(*arguments)
        checking = time.perf_counter() - began

    completeness.check = timed_check  # type: ignore[assignment]  # landing calls it by this name
    with database.writing(settings.warehouse.database, notify=print) as connection:
        job = landing.LandingJob(
            snapshot_id=snapshot_id,
            started_at=material.STARTED,
            finished_at=material.FINISHED,
            policy_files=inputs.policy_files(settings),
            tool_version="bench",
            config_sha256="0",
        )
        landed = landing.land(connection, Spool(Path(spool)), inputs.completeness_models(), job)
    assert landed.completeness == "FULL", landed.reason
    return {"checking": checking}


def build(folder: str) -> None:
    Project(material.settings(Path(folder))).build()


def build_again(folder: str) -> None:
    """Build once more with a changed threshold, which every finding of its rule depends on."""
    settings = material.settings(Path(folder))
    [rule] = [model for model in inputs.models() if model.title == "Stale account"]
    name, days = next(iter(rule.params.items()))
    Project(replace(settings, rules={rule.name: {name: days - 30}})).build()


def tenant_spool(folder: str, accounts: str, *tenants: str) -> None:
    """Write the spool of one extract of some tenants."""
    spool = Spool.create(Path(folder))
    for tenant in tenants:
        material.add_source(spool, tenant, Organisation(int(accounts), tenant=tenant))
    spool.close()


def merge(folder: str, *parts: str) -> None:
    """Merge snapshots of other databases, each given as its id and the path of its database."""
    merged = Project(material.settings(Path(folder))).merge(*parts[::2], databases=map(Path, parts[1::2]))
    assert merged.completeness == "FULL", merged.reason


def build_on_engine(folder: str, url: str) -> None:
    settings = material.settings(Path(folder))
    warehouse = replace(settings.warehouse, engine="spark", engine_url=url)
    Project(replace(settings, warehouse=warehouse)).build()


def findings_csv(folder: str, target: str) -> None:
    from pipeline.reporting import csv

    with database.reading(Path(folder) / "bench.duckdb", notify=print) as connection:
        csv.write(connection, "select * from reports.findings", Path(target), order_by="all")


def copy(folder: str) -> None:
    """Copy every table of a build, in its order and within its memory: a lower limit of its duration."""
    source = Path(folder) / "bench.duckdb"
    target = Path(folder) / "copy.duckdb"
    with database.writing(target, notify=print) as connection:
        connection.execute("attach $source as built (read_only)", {"source": str(source)})
        connection.execute("set preserve_insertion_order = false")
        tables = connection.execute(
            """
            select schema_name, table_name from duckdb_tables()
            where database_name = 'built' and schema_name in ('staging', 'graph', 'findings', 'reports', 'history')
            order by table_oid
            """
        ).fetchall()
        with database.transaction(connection):
            for schema, table in tables:
                connection.execute(f"create or replace table {schema}.{table} as from built.{schema}.{table}")
    target.unlink()


def annex(folder: str) -> None:
    from pipeline.reporting import annex as annexes
    from pipeline.reporting import dataset, processes, renderers, view

    with database.reading(Path(folder) / "bench.duckdb", notify=print) as connection:
        arranged = view.arrange(dataset.load(connection), rows_shown=0, data_sha256="0" * 64)
        path = Path(folder) / "annex.pdf"
        with processes.Pool(processes.cores() - 1, renderers.prepare) as pool:
            annexes.write(connection, arranged, resources.templates(), path, lambda _done, _pages: None, pool)


def report(folder: str, formats: str, cores: str) -> None:
    """Write a report with so many processors; 0 are all."""
    from pipeline.reporting import report as reports

    with database.reading(
        Path(folder) / "bench.duckdb", notify=print, memory=database.RENDERING_MEMORY
    ) as connection:
        options = reports.ReportOptions(cores=int(cores) or None)
        reports.write(connection, Path(folder) / "out", frozenset(formats.split(",")), lambda _: None, options)


def workbook(folder: str) -> None:
    from pipeline.reporting import dataset, sheets, view, xlsx

    with database.reading(
        Path(folder) / "bench.duckdb", notify=print, memory=database.RENDERING_MEMORY
    ) as connection:
        arranged = view.arrange(dataset.load(connection), rows_shown=0, data_sha256="0" * 64)
        xlsx.write(connection, sheets.sheets(), arranged, Path(folder) / "workbook.xlsx")


def workbook_xlsxwriter(folder: str) -> dict[str, int]:
    """Write the cells of the workbook one by one, with nothing around them; return how many they are."""
    from xlsxwriter import Workbook

    from pipeline.reporting import sheets

    cells = 0
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with (
        database.reading(Path(folder) / "bench.duckdb", notify=print) as connection,
        Workbook(Path(folder) / "peer.xlsx", options | {"default_date_format": "d mmm yyyy"}) as book,
    ):
        for each in sheets.sheets():
            rows = connection.execute(f"select * exclude (line) from ({each.query}) order by line")
            sheet = book.add_worksheet(each.name)
            sheet.write_row(0, 0, [column[0] for column in rows.description or []])
            for number, row in enumerate(iter(rows.fetchone, None), start=1):
                sheet.write_row(number, 0, row)
                cells += len(row) - row.count(None)
    return {"cells": cells}


def workbook_rustpy(folder: str) -> None:
    from rustpy_xlsxwriter import FastExcel  # type: ignore[import-untyped]

    from pipeline.reporting import sheets
    from pipeline.reporting.frames import to_frame

    book = FastExcel(str(Path(folder) / "peer.xlsx"), autofit=False)
    with database.reading(Path(folder) / "bench.duckdb", notify=print) as connection:
        for each in sheets.sheets():
            frame = to_frame(connection.sql(f"select * exclude (line) from ({each.query}) order by line"))
            if len(frame):
                book = book.sheet(each.name, frame)
    book.save()


def html_file(folder: str) -> None:
    """Write the HTML report to look things up in."""
    from pipeline.reporting import dataset, html, lookup, view

    with database.reading(Path(folder) / "bench.duckdb", notify=print) as connection:
        arranged = view.arrange(dataset.load(connection), rows_shown=1000, data_sha256="0" * 64)
        page = html.render(arranged, resources.templates(), lookup.pack(connection))
    (Path(folder) / "access-review.html").write_bytes(page)


def plain_table(folder: str) -> None:
    """Render one table with one cell for each value, the most obvious way."""
    import weasyprint

    from pipeline.reporting import annex as annexes

    with database.reading(Path(folder) / "bench.duckdb", notify=print) as connection:
        rows = annexes.rows(connection).fetchall()
    lines = ("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    style = "@page { size: A4 landscape } table { width: 100%; font-size: 7pt } td { border-bottom: 1px solid #ccc }"
    weasyprint.HTML(string=f"<style>{style}</style><table>{''.join(lines)}</table>").write_pdf(
        Path(folder) / "plain.pdf"
    )


def whole(folder: str, token: str, formats: str) -> dict[str, Any]:
    """Run the main job; ``stages`` are the durations that it reports."""
    project = Project(material.settings(Path(folder)), {"ACCESS_REVIEW_PROD_TOKEN": token})
    result = project.run(formats=formats.split(","))
    return {"stages": [asdict(stage) for stage in result.stages]}


def dlt(folder: str, url: str, token: str) -> None:
    """Load with dlt as a data engineer would: its rest_api source into DuckDB."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"  # do not report usage to the makers of dlt
    import dlt as peer
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(
        {
            "client": {
                "base_url": f"{url}/api/v1/",
                "auth": {"type": "bearer", "token": token},
                "paginator": {
                    "type": "offset",
                    "limit": 500,
                    "offset": 0,
                    "offset_param": "skip",
                    "limit_param": "limit",
                    "total_path": None,
                    "stop_after_empty_page": True,
                },
            },
            "resources": [{"name": "users", "endpoint": {"path": "users"}}],
        }
    )
    destination = peer.destinations.duckdb(str(Path(folder) / "dlt.duckdb"))
    peer.pipeline("peer", destination=destination, dataset_name="peer", pipelines_dir=f"{folder}/dlt").run(source)


JOBS: dict[str, Callable[..., dict[str, Any] | None]] = {
    "pull": pull,
    "directory": directory,
    "land": land,
    "build": build,
    "build_again": build_again,
    "tenant_spool": tenant_spool,
    "merge": merge,
    "build_on_engine": build_on_engine,
    "findings_csv": findings_csv,
    "copy": copy,
    "whole": whole,
    "dlt": dlt,
    "annex": annex,
    "html_file": html_file,
    "report": report,
    "workbook": workbook,
    "workbook_xlsxwriter": workbook_xlsxwriter,
    "workbook_rustpy": workbook_rustpy,
    "plain_table": plain_table,
}

if __name__ == "__main__":
    started, worked = time.perf_counter(), time.process_time()
    more = JOBS[sys.argv[1]](*sys.argv[2:]) or {}
    measured = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - worked,
        "peak_mb": harness.peak_mb(),
    }
    print(json.dumps(measured | more))
