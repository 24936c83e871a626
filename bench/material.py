"""Input of the benchmarks: spools and databases of a given size, made once for each run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path

from bench.organisation import Organisation, domain_of, encode, listed
from pipeline.settings import Settings, load_settings
from pipeline.simulator.population import DOMAIN
from pipeline.spool import Observation, PageEntry, Principal, SourceOutcome, Spool

MOMENT = "2026-11-01T00:00:00.000Z"
STARTED = datetime(2026, 11, 1)  # noqa: DTZ001 - UTC without a zone, as the database has it
FINISHED = datetime(2026, 11, 1, 0, 10)  # noqa: DTZ001
SNAPSHOT = "20261101T000000Z-0000"
#: An address without a server, for jobs that contact no source.
NOWHERE = "http://127.0.0.1:9"
_CONFIGURATION = """
[organization]
name = "Example Corp"
email_domains = [{domains}]
[warehouse]
database = "bench.duckdb"
{sources}
[roster]
path = "people.csv"
"""
_SOURCE = '[sources.{name}]\nkind = "sisense"\nurl = "{url}"\n'


@cache
def spooled(folder: Path, accounts: int) -> Path:
    """Write the spool of an extract of this many accounts; return its folder."""
    target = folder / f"spool-{accounts}"
    spool = Spool.create(target)
    add_source(spool, "prod", Organisation(accounts))
    spool.close()
    return target


def add_source(spool: Spool, source: str, organisation: Organisation) -> None:
    """Add the extract of an organisation to a spool."""
    roles = organisation.original.roles
    keep(spool, "roles", 1, encode(roles), len(roles), source)
    groups = organisation.groups()
    for number, batch in enumerate(iter(lambda: list(islice(groups, 500)), []), start=1):
        keep(spool, "groups", number, listed(batch), len(batch), source)
    accounts = left = organisation.accounts
    for number, body in enumerate(organisation.pages(500), start=1):
        keep(spool, "users", number, body, min(500, left), source)
        left -= 500
    spool.write_outcome(
        SourceOutcome(
            source=source,
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
            finished_at=f"{FINISHED.isoformat()}Z",
        )
    )


def keep(spool: Spool, resource: str, number: int, body: bytes, items: int, source: str = "prod") -> None:
    """Add one page to a spool."""
    file = spool.write_body(source, f"{resource}-1-{number:06d}.json", body)
    spool.add_page(
        PageEntry(
            source=source,
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


def configure(folder: Path, accounts: int, url: str = NOWHERE) -> None:
    """Write a configuration and the roster of this many accounts into the folder of the database."""
    _configure(folder, {"prod": Organisation(accounts)}, [DOMAIN], url)


def configure_tenants(folder: Path, tenants: Mapping[str, Organisation], all_names: Iterable[str]) -> None:
    """Write a configuration of some of the tenants, and a roster of their people."""
    _configure(folder, tenants, [DOMAIN, *map(domain_of, all_names)], NOWHERE)


def _configure(folder: Path, organisations: Mapping[str, Organisation], domains: Sequence[str], url: str) -> None:
    listed = ", ".join(f'"{domain}"' for domain in domains)
    sources = "".join(_SOURCE.format(name=name, url=url) for name in organisations)
    _configuration(folder).write_text(_CONFIGURATION.format(domains=listed, sources=sources), encoding="utf-8")
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as roster:
        for number, organisation in enumerate(organisations.values()):
            parts = organisation.roster()
            heading, _, people = next(parts).partition("\n")
            roster.write(people if number else f"{heading}\n{people}")
            roster.writelines(parts)


def settings(folder: Path) -> Settings:
    """Return the settings that :func:`configure` wrote."""
    return load_settings(_configuration(folder))


def _configuration(folder: Path) -> Path:
    return folder / "access-review.toml"
