"""Tenants: read one by one and merged, or built one by one, they give the findings of one extract of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline import Project, load_settings
from tests.fakes.sisense import API_TOKEN, FakeSisense, account

TENANTS = ("north", "south", "west")
CONFIGURATION = """
[organization]
email_domains = ["north.example", "south.example", "west.example"]
{sources}
[roster]
path = "people.csv"
"""
SOURCE = '[sources.{name}]\nkind = "sisense"\nurl = "{url}"\nobjects = false\n'
#: Every column but the names of snapshots and what follows from the moment of the extract.
FINDINGS = """
select * exclude (first_seen_snapshot_id, first_seen_at, due_at, age_days, overdue) from reports.findings order by all
"""


@dataclass
class Customer:
    """Three tenants that run, and a place for projects."""

    servers: dict[str, FakeSisense]
    folder: Path

    def project(self, place: str, tenants: Sequence[str], roster: Sequence[str]) -> Project:
        """Return a project of some tenants, whose roster has the people of those in ``roster``."""
        folder = self.folder / place
        folder.mkdir()
        sources = "".join(SOURCE.format(name=name, url=self.servers[name].url) for name in tenants)
        path = folder / "access-review.toml"
        path.write_text(CONFIGURATION.format(sources=sources), encoding="utf-8")
        lines = ["person_id,email,display_name,department,employment_status"]
        lines += [line for tenant in roster for line in people(tenant)]
        (folder / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        secrets = {f"ACCESS_REVIEW_{name.upper()}_TOKEN": API_TOKEN for name in tenants}
        return Project(load_settings(path), secrets)


def people(tenant: str) -> list[str]:
    """Return lines of the roster: the first 20 accounts have a person, of whom five have left."""
    return [
        f"{tenant}{number},user{number}@{tenant}.example,User {number} {tenant},Sales,{status}"
        for number, status in enumerate(["active"] * 15 + ["ended"] * 5, start=1)
    ]


def users(tenant: str) -> list[dict[str, Any]]:
    return [
        account(number, userName=f"user{number}@{tenant}.example", email=f"user{number}@{tenant}.example")
        for number in range(1, 31)
    ]


@pytest.fixture
def customer(tmp_path: Path) -> Iterator[Customer]:
    groups = [{"_id": f"{900:024x}", "name": "Staff", "users": [{"_id": f"{n:024x}"} for n in range(1, 31)]}]
    with ExitStack() as stack:
        servers = {name: stack.enter_context(FakeSisense(users(name), groups=groups)) for name in TENANTS}
        yield Customer(servers, tmp_path)


def found(project: Project, snapshot_id: str | None = None, **options: Any) -> list[tuple[Any, ...]]:
    project.build(snapshot_id, **options)
    return project.query(FINDINGS).rows()


def test_tenants_that_are_merged_have_the_findings_of_one_extract(customer: Customer) -> None:
    for tenant in ("south", "west"):  # two of the people work in all tenants
        customer.servers[tenant].users += [
            account(number, userName=name, email=name)
            for number, name in ((41, "user1@north.example"), (42, "user16@north.example"))
        ]
    project = customer.project("all", TENANTS, TENANTS)

    whole = project.extract()
    merged = project.merge(*[project.extract(tenant).snapshot_id for tenant in TENANTS])

    assert whole.completeness == merged.completeness == "FULL"
    at = {"as_of": whole.finished_at}
    expected = found(project, whole.snapshot_id, **at)
    in_both = "select count(distinct person_id) from reports.person_access"
    assert project.query(in_both).rows() == [(2,)]
    assert found(project, merged.snapshot_id, **at) == expected
    assert project.query(in_both).rows() == [(2,)]
    assert len({row[1] for row in expected}) > 3  # rules


def test_tenants_that_share_no_people_can_be_built_one_by_one(customer: Customer) -> None:
    project = customer.project("all", TENANTS, TENANTS)
    whole = project.extract()
    at = {"as_of": whole.finished_at}
    expected = found(project, **at)

    each = []
    for tenant in TENANTS:
        alone = customer.project(tenant, [tenant], [tenant])
        assert alone.extract().completeness == "FULL"
        each += found(alone, **at)

    order = [repr(row) for row in expected]
    assert sorted(order) == sorted(map(repr, each))
    assert {row[3] for row in expected} == set(TENANTS)
