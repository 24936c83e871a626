"""SCIM endpoints that deviate from the RFC, and what the access review says in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import Project, load_settings
from pipeline.settings import Secret, SourceSettings
from pipeline.sources.scim import endpoint
from pipeline.sources.scim.names import canonical
from tests.cases.case import Case, each
from tests.fakes.http import HttpServer, Reply, Request, as_json
from tests.fakes.scim import TOKEN, RealScim
from tests.fakes.sisense import PASSWORD, USERNAME, FakeSisense, accounts
from tests.rules import rule
from tests.sources.test_scim import Landed, assert_all, read

LEAVER_ACTIVE = rule("Leaver still active")

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def user(number: int, **changes: Any) -> dict[str, Any]:
    """Return a user who has left, with the address of the account of that number."""
    return {
        "id": f"p{number}",
        "userName": f"p{number}",
        "active": False,
        "emails": [
            {"value": f"private{number}@example.com", "primary": False},
            {"value": f"user{number}@example.com", "primary": True},
        ],
        **changes,
    }


def respelt(record: Any, spell: Any) -> Any:
    """Return a record with every name in another case."""
    if isinstance(record, dict):
        return {spell(key): respelt(value, spell) for key, value in record.items()}
    return [respelt(value, spell) for value in record] if isinstance(record, list) else record


def _addresses(number: int, primary: Any) -> list[dict[str, Any]]:
    return [
        {"value": f"private{number}@example.com", "primary": "False"},
        {"value": f"user{number}@example.com", "primary": primary},
    ]


SPELLINGS = [
    Case("scim", "as the RFC writes it", "leaver", user(1)),
    Case(
        "scim", "names that begin with a capital", "leaver", respelt(user(2), lambda name: name[0].upper() + name[1:])
    ),
    Case("scim", "names in lower case", "leaver", respelt(user(3), str.lower)),
    Case("scim", "names in upper case", "leaver", respelt(user(4), str.upper)),
    Case("scim", "'primary' as text", "leaver", user(5, emails=_addresses(5, "True"))),
    Case("scim", "'primary' as text in lower case", "leaver", user(6, emails=_addresses(6, " true "))),
    Case("scim", "'active' as text", "leaver", user(7, active="False")),
    Case("scim", "'active' as text with blanks", "leaver", user(8, active=" FALSE ")),
    Case("scim", "a name twice, the right one counts", "leaver", {"Active": True, **user(9)}),
    Case("scim", "one address outside a list", "leaver", user(10, emails={"Value": "user10@example.com"})),
    Case("scim", "'active' is a number", "unknown", user(11, active=0)),
    Case("scim", "no 'active'", "unknown", {k: v for k, v in user(12).items() if k != "active"}),
    Case("scim", "'active' is a word", "unknown", user(13, active="no")),
    Case("scim", "still there", "passed", user(14, active="True")),
]


@dataclass
class Judged:
    verdicts: dict[str, str]
    notes: list[str]
    completeness: str


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("scim")
    people = [case.content for case in SPELLINGS]

    def answer(request: Request) -> Reply:
        if not request.path.endswith("/Users"):
            return as_json({"totalResults": 0, "Resources": []})
        start, count = int(request.query["startIndex"]), int(request.query["count"])
        return as_json({"TotalResults": len(people), "resources": people[start - 1 : start - 1 + count]})

    with FakeSisense(accounts(len(people))) as fake, HttpServer(answer) as scim:
        path = folder / "access-review.toml"
        path.write_text(
            f'[sources.prod]\nkind = "sisense"\nurl = "{fake.url}"\nusername = "{USERNAME}"\n'
            f'[sources.idp]\nkind = "scim"\nurl = "{scim.url}"\n[roster]\nsource = "idp"\n'
        )
        secrets = {"ACCESS_REVIEW_PROD_PASSWORD": PASSWORD, "ACCESS_REVIEW_IDP_TOKEN": TOKEN}
        project = Project(load_settings(path), secrets)
        extracted = project.extract()
        built = project.build()
    with duckdb.connect(str(folder / "access-review.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select account.user_name, coalesce(leaver.verdict, 'passed') from graph.accounts as account "
            f"left join findings.{LEAVER_ACTIVE} as leaver using (source, account_id)"
        ).fetchall()
    return Judged(dict(rows), [*extracted.warnings, *built.warnings], extracted.completeness)


@each(SPELLINGS)
def test_a_leaver_is_found_whatever_the_case_of_attribute_names(judged: Judged, case: Case) -> None:
    number = SPELLINGS.index(case) + 1

    verdict = {"failed": "leaver"}.get(judged.verdicts[f"user{number}@example.com"])

    assert judged.completeness == "FULL"
    assert (verdict or judged.verdicts[f"user{number}@example.com"]) == case.outcome


def test_users_without_a_readable_active_flag_are_counted_in_a_warning(judged: Judged) -> None:
    unreadable = sum(case.outcome == "unknown" for case in SPELLINGS)

    assert f"idp: {unreadable} SCIM users without a readable active flag; their status is unknown" in judged.notes


def test_attribute_names_are_folded_at_every_level_and_unknown_ones_kept() -> None:
    record = {
        "ID": "1",
        "NAME": {"GIVENNAME": "Ann", "Nick": 1},
        "Members": [{"VALUE": "x", "Odd": 2}, "y"],
        "Meta": {"LASTMODIFIED": "2026-01-01"},
        ENTERPRISE.upper(): {"Department": "Ops", "MANAGER": {"Value": "7"}},
        "urn:example:Own": {"Active": True},
        "Colour": {"Active": True},
        "Emails": None,
        "active": True,
        "ACTIVE": False,
    }

    assert canonical(record) == {
        "id": "1",
        "name": {"givenName": "Ann", "Nick": 1},
        "members": [{"value": "x", "Odd": 2}, "y"],
        "meta": {"lastModified": "2026-01-01"},
        ENTERPRISE: {"department": "Ops", "manager": {"value": "7"}},
        "urn:example:Own": {"Active": True},
        "Colour": {"Active": True},
        "emails": None,
        "active": True,
        "ACTIVE": False,
    }


@pytest.fixture(scope="module")
def small() -> RealScim:
    return RealScim(90, 6)


@pytest.fixture
def server(small: RealScim) -> Iterator[RealScim]:
    yield small
    small.before = lambda request, query: None
    small.after = lambda request, document: document


REFUSALS = [
    Case("count=0", "is refused", "read whole", Reply(400, b'{"detail": "count must be positive"}')),
    Case("count=0", "cannot be processed", "read whole", Reply(422)),
    Case("count=0", "breaks the server", "read whole", Reply(500)),
    Case("count=0", "is answered with something else", "read whole", as_json([])),
    Case("count=0", "counts nothing", "read whole", as_json({"totalResults": 0})),
]


@each(REFUSALS)
def test_a_server_that_refuses_count_0_is_read_completely(server: RealScim, tmp_path: Path, case: Case) -> None:
    server.before = lambda request, query: case.content if query.get("count") == "0" else None

    assert_all(server, read(server.answer, tmp_path))
    with HttpServer(server.answer) as http:
        found = endpoint.probe(
            SourceSettings(name="idp", kind="scim", url=f"{http.url}/scim/v2", max_attempts=1), Secret(TOKEN)
        )
    assert (found.users, found.groups) == (90, 6)


def _ignoring_start(most: int) -> Any:
    def ignore(request: Request, query: dict[str, str]) -> None:
        query["startIndex"] = "1"
        query["count"] = str(min(most, int(query.get("count", "100"))))

    return ignore


def test_a_server_that_ignores_start_index_is_read_in_one_page(server: RealScim, tmp_path: Path) -> None:
    server.before = _ignoring_start(1000)

    assert_all(server, read(server.answer, tmp_path, page_size=20))


def test_a_server_that_ignores_start_index_and_caps_a_page_is_never_full(server: RealScim, tmp_path: Path) -> None:
    server.before = _ignoring_start(25)

    landed: Landed = read(server.answer, tmp_path, page_size=20)

    assert landed.completeness == "PARTIAL"


def test_supported_operations_are_read_whatever_the_case() -> None:
    document = {"PATCH": {"Supported": "True"}, "filter": {"supported": False}, "Sort": {}}

    assert endpoint.operations(json.loads(json.dumps(document))) == {
        "patch": True,
        "filter": False,
        "sort": False,
    }
