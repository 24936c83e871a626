"""The organisation that the demo, the tests and the benchmarks run on."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.simulator.names import HOSTILE
from pipeline.simulator.population import CALLER, Population, build

ANCHOR = datetime(2026, 3, 1, tzinfo=UTC)


def as_bytes(population: Population) -> bytes:
    parts = [population.users, population.roles, population.groups, population.members, population.login_states]
    text = json.dumps([*parts, population.policy_files()]) + population.roster_csv() + population.planted_csv()
    return text.encode()


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert as_bytes(build(600, 11, ANCHOR)) == as_bytes(build(600, 11, ANCHOR))


def test_another_seed_gives_another_organisation() -> None:
    assert as_bytes(build(600, 11, ANCHOR)) != as_bytes(build(600, 12, ANCHOR))


def test_all_dates_count_from_the_midnight_of_the_anchor_in_utc() -> None:
    same_day = datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert as_bytes(build(100, 1, same_day)) == as_bytes(build(100, 1, ANCHOR))


@pytest.mark.parametrize("accounts", [20, 21, 34, 35, 50, 78, 99, 100, 101, 499, 500, 2_000, 12_345])
def test_the_size_is_exact_and_ids_are_unique_and_in_order(accounts: int) -> None:
    ids = [user["_id"] for user in build(accounts, 3, ANCHOR).users]

    assert len(ids) == accounts
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[0-9a-f]{24}", account_id) for account_id in ids)


def test_user_names_are_unique() -> None:
    names = Counter(user["userName"] for user in build(2_000, 7, ANCHOR).users)

    assert names.most_common(1)[0][1] == 1


def test_a_population_too_small_for_its_conditions_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 20"):
        build(19, 1, ANCHOR)


def test_an_anchor_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build(100, 1, ANCHOR.replace(tzinfo=None))


def test_the_number_of_conditions_does_not_grow_with_the_organisation() -> None:
    small, large = (
        {rule_id: len(items) for rule_id, items in build(accounts, 7, ANCHOR).planted.items()}
        for accounts in (500, 12_000)
    )

    assert small == large


def test_the_caller_is_a_registered_administrator_seen_on_the_day(population: Population) -> None:
    caller = next(user for user in population.users if user["userName"] == CALLER)
    role = next(role for role in population.roles if role["_id"] == caller["roleId"])

    assert (caller["email"], role["name"], caller["active"]) == (CALLER, "admin", True)
    assert caller["lastLogin"] == "2026-03-01T00:00:00.000Z"
    assert CALLER in population.policy_files()["service_accounts.csv"]


@pytest.mark.parametrize("accounts", [100, 500])
def test_hostile_names_are_ordinary_people(accounts: int) -> None:
    population = build(accounts, 4, ANCHOR)
    planted = {item.account_id for items in population.planted.values() for item in items}
    by_name = {(user.get("firstName"), user.get("lastName")): user for user in population.users}
    hostile = [by_name[name.first, name.last] for name in HOSTILE]

    assert all(user["active"] for user in hostile)
    assert not planted & {user["_id"] for user in hostile}


def test_names_come_in_many_scripts() -> None:
    names = "".join(f"{user.get('firstName')}{user.get('lastName')}" for user in build(2_000, 7, ANCHOR).users)

    for sample in ("Ελένη", "Соколова", "山田", "Šťastná", "לוי", "ليلى"):
        assert sample in names


def test_the_roster_keeps_every_name_through_csv(population: Population) -> None:
    people = list(csv.DictReader(io.StringIO(population.roster_csv(), newline="")))

    assert list(people[0]) == [
        "person_id", "email", "aliases", "display_name", "manager_email", "department", "title",
        "employment_status", "start_date", "end_date", "person_type",
    ]  # fmt: skip
    assert {f"{name.first} {name.last}" for name in HOSTILE} <= {person["display_name"] for person in people}
    assert {person["employment_status"] for person in people} == {"active", "ended", "leave"}


def test_built_in_groups_show_their_members_on_the_group_side_only(population: Population) -> None:
    builtin = {
        group["_id"]: group["name"] for group in population.groups if group["created"] and group["name"] in NAMES
    }
    mentioned = {group_id for user in population.users for group_id in user.get("groups") or []}

    assert set(builtin.values()) == NAMES
    assert not mentioned & set(builtin)
    assert {name: bool(population.members[group_id]) for group_id, name in builtin.items()} == dict.fromkeys(
        NAMES, True
    )


NAMES = {"Everyone", "Admins", "All users in system"}


def test_all_odd_forms_of_the_last_login_occur(population: Population) -> None:
    values = [user.get("lastLogin", ...) for user in population.users]

    assert {type(value) for value in values} == {str, type(None), type(...)}
    assert "" in values
    for form in (r"not a date", r".*\+02:00", r"\d{4}-\d\d-\d\d", r".*T10:15:00", r"2027-.*", r"0001-.*"):
        assert any(isinstance(value, str) and re.fullmatch(form, value) for value in values), form
    assert sum(1 for user in population.users if "active" not in user) == 1
