"""An address or a user name is one, however it is spelled, in whichever file or source it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.cases.case import Case, each
from tests.rules import rule
from tests.warehouse.conftest import House, Source, user

DUPLICATE_ACCOUNTS = rule("Duplicate accounts")
LEAVER_ACTIVE = rule("Leaver still active")
ROSTER_DRIFT = rule("Name or address differs from the roster")

#: How ``josé`` followed by a number may be written at ``example.com`` without being another address.
SPELLINGS = {
    "no-break blanks around it": "\u00a0josé{}@example.com\u202f",
    "an ideographic blank before it": "\u3000josé{}@example.com",
    "a tab and a line end around it": "\tjosé{}@example.com\r\n",
    "a zero-width blank after it": "josé{}@example.com\u200b",
    "a soft hyphen inside": "jo\u00adsé{}@example.com",
    "a byte order mark before it": "\ufeffjosé{}@example.com",
    "letters of another case": "JOSÉ{}@Example.COM",
    "an accent that is a character of its own": "jose\u0301{}@example.com",
    "a filler without a shape after it": "josé{}@example.com\u3164",
}
#: Where it is written so, and what is then known of the account.
PLACES = {
    "the account's address": "it is the leaver's",
    "the account's user name": "it is the leaver's",
    "the roster's address": "it is the leaver's",
    "the roster's alias": "it is the leaver's",
    "service_accounts.csv": "it is registered as a service account",
    "break_glass.csv": "it is registered as an emergency account",
    "out_of_scope.csv": "it is out of scope",
    "the address of a second account": "both accounts are duplicates",
}
CASES = [
    Case(place, spelling, outcome, (place, SPELLINGS[spelling].format(number), f"josé{number}@example.com"))
    for number, (place, outcome, spelling) in enumerate(
        (place, outcome, spelling) for place, outcome in PLACES.items() for spelling in SPELLINGS
    )
]
RULES = {LEAVER_ACTIVE, ROSTER_DRIFT, DUPLICATE_ACCOUNTS}


@pytest.fixture(scope="module")
def built(models: list[Model], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Build one extract in which every case has an account, and a person or a line where it needs one."""
    users: list[dict[str, Any]] = []
    people: list[Sequence[str]] = []
    policy: dict[str, list[Sequence[str]]] = {"service_accounts": [], "break_glass": [], "out_of_scope": []}
    for number, case in enumerate(CASES):
        place, odd, plain = case.content
        own = {"userName": f"login{number}", "email": plain, "firstName": "José", "lastName": "Test"}
        if place == "the account's address":
            own["email"] = odd
        elif place == "the account's user name":
            own |= {"userName": odd, "email": ""}
        users.append(user(f"a{number}", **own))
        if PLACES[place] == "it is the leaver's":
            aliases = odd if place == "the roster's alias" else ""
            email = {"the roster's address": odd, "the roster's alias": f"other{number}@example.com"}.get(
                place, plain
            )
            people.append((f"p{number}", email, aliases))
        elif place == "the address of a second account":
            users.append(user(f"b{number}", **own | {"userName": f"second{number}", "email": odd}))
        elif place == "service_accounts.csv":
            policy["service_accounts"].append((odd, "o@example.com", "loads", "2030-01-01"))
        elif place == "break_glass.csv":
            policy["break_glass"].append((odd, "o@example.com", "emergencies"))
        else:
            policy["out_of_scope"].append((odd, "a test", "o@example.com"))
    headers = {
        "service_accounts": "email,owner_email,purpose,review_by",
        "break_glass": "email,owner_email,purpose",
        "out_of_scope": "subject,reason,approved_by",
    }
    needed = [model for model in models if not model.is_rule or model.name in RULES]
    with database.in_memory() as connection:
        house = House(connection, tmp_path_factory.mktemp("keys"), needed)
        snapshot = house.land("20260101T000000Z-0001", {"prod": Source(users)})
        house.build(
            snapshot,
            roster=table(
                "person_id,email,aliases,employment_status,display_name", [(*p, "ended", "") for p in people]
            ),
            policy={f"{name}.csv": table(headers[name], lines) for name, lines in policy.items()},
        )
        yield house


def table(header: str, rows: Sequence[Sequence[str]]) -> str:
    return "\n".join([header, *(",".join(f'"{cell}"' for cell in row) for row in rows)]) + "\n"


@each(CASES)
def test_every_spelling_of_an_address_is_the_same_address(built: House, case: Case) -> None:
    number = CASES.index(case)
    [(person_id, account_type, in_scope)] = built.rows(
        f"select person_id, account_type, in_scope from reports.population where account_id = 'a{number}'"
    )
    found = {
        (rule_id, account_id)
        for rule_id, account_id in built.rows(
            f"select rule_id, account_id from findings.register where account_id in ('a{number}', 'b{number}')"
        )
    }

    if case.outcome == "it is the leaver's":
        assert person_id == f"p{number}"
        assert found == {(LEAVER_ACTIVE, f"a{number}")}
    elif case.outcome == "both accounts are duplicates":
        assert found == {(DUPLICATE_ACCOUNTS, f"a{number}"), (DUPLICATE_ACCOUNTS, f"b{number}")}
    elif case.outcome == "it is out of scope":
        assert not in_scope
    else:
        assert account_type == ("service" if case.kind == "service_accounts.csv" else "break_glass")
