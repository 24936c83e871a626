"""What benchmarks work on: spools and databases of a given size, made once a run."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import cache
from pathlib import Path

from bench import instance
from pipeline.settings import Settings, load
from pipeline.spool import Observation, Outcome, Page, Principal, Spool

MOMENT = "2026-11-01T00:00:00.000Z"
STARTED = datetime(2026, 11, 1)  # noqa: DTZ001 - UTC without a zone, as the database has it
FINISHED = datetime(2026, 11, 1, 0, 10)  # noqa: DTZ001
SNAPSHOT = "20261101T000000Z-0000"
#: Where nothing answers: for jobs that contact no source.
NOWHERE = "http://127.0.0.1:9"
_CONFIGURATION = """
[organization]
name = "Example Corp"
email_domains = ["example.com"]
[warehouse]
database = "bench.duckdb"
[sources.prod]
kind = "sisense"
url = "{url}"
[roster]
path = "people.csv"
"""


@cache
def spooled(folder: Path, accounts: int) -> Path:
    """Write a spool as an extract of so many accounts leaves it; return its folder."""
    target = folder / f"spool-{accounts}"
    source = instance.original(accounts)
    spool = Spool.create(target)
    keep(spool, "roles", 1, json.dumps(source.roles).encode(), len(source.roles))
    groups = [
        {**group, "users": [{"_id": member} for member in source.members[group["_id"]]]} for group in source.groups
    ]
    keep(spool, "groups", 1, json.dumps(groups).encode(), len(groups))
    left = accounts
    for number, body in enumerate(instance.pages(accounts, 500, source), start=1):
        keep(spool, "users", number, body, min(500, left))
        left -= 500
    spool.write_outcome(
        Outcome(
            source="prod",
            kind="sisense",
            url=NOWHERE,
            api="v1",
            version="2026.1.0.bench",
            principal=Principal("svc", None, None, "admin"),
            accepted_sweeps={"users": 1, "roles": 1, "groups": 1},
            server_counts={"users_before": accounts, "users_after": accounts},
            clock_skew_seconds=0.0,
            observations=(Observation("end_proven", "The end is proven", None, None, None, "PASS", "It is."),),
            started_at=MOMENT,
            finished_at=MOMENT,
        )
    )
    spool.close()
    return target


def keep(spool: Spool, resource: str, number: int, body: bytes, items: int) -> None:
    file = spool.write_body("prod", f"{resource}-1-{number:06d}.json", body)
    spool.add_page(
        Page(
            source="prod",
            resource=resource,
            sweep=1,
            page=number,
            offset=(number - 1) * 500,
            url=f"{NOWHERE}/{resource}",
            status=200,
            items=items,
            bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            redacted_sha256=None,
            started_at=MOMENT,
            fetched_at=MOMENT,
            elapsed_ms=1,
            attempts=1,
            file=file,
        )
    )


def settings(folder: Path, url: str = NOWHERE) -> Settings:
    """Write a configuration with a roster into the folder and read it; its database is there too."""
    path = folder / "access-review.toml"
    path.write_text(_CONFIGURATION.format(url=url), encoding="utf-8")
    (folder / "people.csv").write_text(instance.original(2_000).roster_csv(), encoding="utf-8", newline="")
    return load(path)
