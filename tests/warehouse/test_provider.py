"""An identity provider as the roster: who is there, who has left, and when at the latest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from pipeline.errors import RosterError
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.provider import load_people

SNAPSHOT = "20260301T000000Z-0001"
END = datetime(2026, 3, 1, 12)  # noqa: DTZ001
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture
def connection() -> Iterator[Connection]:
    with database.in_memory() as connection:
        yield connection


def given(connection: Connection, *users: Any, source: str = "idp", is_accepted: bool = True) -> None:
    for number, user in enumerate(users, start=1):
        connection.execute(
            "insert into raw.scim_users values ($1, $2, 1, 1, $3, $4, timestamp '2026-03-01', $5)",
            [SNAPSHOT, source, number, is_accepted, json.dumps(user)],
        )


def people(connection: Connection, columns: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from policy.roster order by row").fetchall()


def test_a_person_has_the_addresses_names_and_manager_of_the_provider(connection: Connection) -> None:
    ann = {
        "id": "1",
        "userName": "ann@corp.example",
        "displayName": "Ann Example",
        "title": "Analyst",
        "active": True,
        "userType": "Contractor",
        "emails": [{"value": "other@example.com"}, {"value": "ann@example.com", "primary": True}],
        ENTERPRISE: {"department": "Finance", "manager": {"value": "2"}},
    }
    boss = {"id": "2", "userName": "boss@example.com", "name": {"givenName": "The", "familyName": "Boss"}}
    given(connection, ann, boss)

    count, _ = load_people(connection, "idp", SNAPSHOT, END)

    assert count == 2
    assert people(
        connection, "person_id, email, aliases, display_name, manager_email, department, title, person_type"
    ) == [
        (
            "1",
            "ann@example.com",
            ["ann@corp.example", "other@example.com"],
            "Ann Example",
            "boss@example.com",
            "Finance",
            "Analyst",
            "contractor",
        ),
        ("2", "boss@example.com", [], "The Boss", None, None, None, None),
    ]


def test_an_inactive_user_counts_as_left_since_the_last_change(connection: Connection) -> None:
    changed = {"lastModified": "2026-02-01T23:30:00-05:00"}
    given(
        connection,
        {"id": "1", "userName": "a@x", "active": True, "meta": changed},
        {"id": "2", "userName": "b@x", "active": False, "meta": changed},
        {"id": "3", "userName": "c@x", "active": "False", "meta": {"lastModified": "soon"}},
        {"id": "4", "userName": "d@x", "active": False, "meta": {"lastModified": "2027-01-01T00:00:00Z"}},
        {"id": "5", "userName": "e@x", "meta": changed},
    )

    load_people(connection, "idp", SNAPSHOT, END)

    assert people(connection, "person_id, employment_status, end_date") == [
        ("1", "active", None),
        ("2", "ended", date(2026, 2, 2)),
        ("3", "ended", None),
        ("4", "ended", None),
        ("5", None, None),
    ]


def test_every_account_lands_once_even_with_odd_records(connection: Connection) -> None:
    given(
        connection,
        {"id": "1", "userName": "plain"},
        {"id": "2", "emails": {"value": "b@x"}},
        {"id": "3", "emails": "c@x", "meta": [], "name": None},
        {"id": "1", "userName": "again"},
        "no record",
        {"userName": "without an id"},
    )

    load_people(connection, "idp", SNAPSHOT, END)

    assert people(connection, "person_id, email") == [("1", "plain"), ("2", "b@x"), ("3", "3")]


def test_only_accepted_users_of_the_source_are_people_and_change_the_hash(connection: Connection) -> None:
    given(connection, {"id": "1", "userName": "a@x"})
    given(connection, {"id": "2", "userName": "b@x"}, source="prod")
    given(connection, {"id": "3", "userName": "c@x"}, is_accepted=False)

    first = load_people(connection, "idp", SNAPSHOT, END)
    again = load_people(connection, "idp", SNAPSHOT, END)
    given(connection, {"id": "4", "userName": "d@x"})
    more = load_people(connection, "idp", SNAPSHOT, END)

    assert first[0] == 1
    assert first == again
    assert more[0] == 2
    assert more[1] != first[1]


def test_an_unread_provider_is_an_error_and_leaves_no_roster(connection: Connection) -> None:
    given(connection, {"id": "1", "userName": "a@x"}, source="other")

    with pytest.raises(RosterError, match="no users of 'idp'"):
        load_people(connection, "idp", SNAPSHOT, END)

    assert people(connection, "person_id") == []
