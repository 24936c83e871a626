"""Campaigns to look at: stores with invented people, written straight into the file of the page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.review.store import ReviewStore
from pipeline.review.store.connections import create
from pipeline.review.store.reading import as_searched

REASONS = {
    "keep": "Most peers hold it.",
    "investigate": "Few peers hold it, and it is new.",
    "remove": "It breaks a rule.",
    "left": "The person has left.",
}

REVIEWER = "ann@example.com"
COLLEAGUE = "bo@example.com"
OWNER = "ciso@example.com"

NAMES = (
    "Ada Lovelace", "Björn Ångström", "Zoë van der Berg", "李 明", "Łukasz Nowak", "Μαρία Παπαδοπούλου",
    "Priya Raman", "Nour El-Sayed", "Tom O'Neil", "Inés Muñoz", "Sam Ødegaard", "Ольга Иванова",
)  # fmt: skip
TITLES = ("Head of Sales", "Analyst", "Controller", "Data engineer")
DEPARTMENTS = ("Field Sales", "Finance", "Operations", "R&D")
GROUPS = ("Board", "Field Sales", "Finance", "Operations", "Payments", "R&D", "Support")
ROLES = (("Viewer", 10), ("Designer", 30), ("Data Designer", 40), ("Admin", 90), ("Sys. Admin", 100))
ALLOWS = {
    "Viewer": "Opens dashboards that are shared with the account.",
    "Data Designer": "Builds data models and dashboards, and shares them.",
    "Admin": "Manages users, groups and shared content.",
}


def make_store(path: Path, people: int = 40, items: int = 5) -> ReviewStore:
    """Return a new store of ``people`` people with ``items`` items each, all of one reviewer.

    The first person has left. The second holds two conflicting groups. The third is new. The items of one in twenty
    people are of high risk, and the last quarter was kept last time.
    """
    with closing(create(path)) as store:
        insert(store, "campaign", campaign())
        for name, rank in ROLES:
            insert(store, "roles", {"source": "prod", "name": name, "rank": rank, "is_shown": 1})
        for number in range(people):
            card = person(number, people)
            insert(store, "cards", card)
            for place in range(items):
                insert(store, "items", item(card, number, place, people))
        store.execute("commit")
    return ReviewStore.open(path)


def insert(store: Any, table: str, row: Mapping[str, Any]) -> None:
    places = ", ".join(f":{name}" for name in row)
    store.execute(f"insert into {table} ({', '.join(row)}) values ({places})", row)


def campaign() -> dict[str, Any]:
    return {
        "name": "2026-Q4",
        "organization": "Example Corp",
        "snapshot_id": "20261101T000000Z-4f2a",
        "scope": "all",
        "opened_at": "2026-11-01T09:00:00.000000",
        "due_on": "2026-12-15",
        "closed_at": None,
    }


def person(number: int, people: int) -> dict[str, Any]:
    name = NAMES[number % len(NAMES)] + (f" {number}" if number >= len(NAMES) else "")
    email = f"user{number:05}@example.com"
    has_left = number == 0
    return {
        "card_id": digest("card", number),
        "position": number,
        "name": name,
        "title": TITLES[number % len(TITLES)],
        "department": DEPARTMENTS[number % len(DEPARTMENTS)],
        "manager_email": "grace.hopper@example.com",
        "email": email,
        "status": "inactive" if number % 9 == 8 else "active",
        "last_seen": "never" if number % 7 == 6 else "2026-10-03",
        "findings": "The person left on 2026-10-01, and the account is still active" if has_left else "",
        "risk": "critical" if has_left else "info",
        "searched": as_searched(f"{name} {email} {' '.join(GROUPS)}"),
    }


def item(card: Mapping[str, Any], number: int, place: int, people: int) -> dict[str, Any]:
    kind = "role" if place == 0 else "group"
    name = ("Admin" if number % 20 == 0 else "Viewer" if number % 3 else "Data Designer") if place == 0 else ""
    name = name or GROUPS[(number + place) % len(GROUPS)] + (f" {place}" if place > len(GROUPS) else "")
    is_risky = number % 20 == 0 and place == 0
    in_conflict = number == 1 and place in {1, 2}
    risk = "critical" if is_risky and number == 0 else "high" if is_risky or in_conflict else "info"
    has_left = number == 0
    advice = "investigate" if number == 3 and place == 1 else "remove" if has_left or risk != "info" else "keep"
    is_kept = number >= people * 3 // 4
    return {
        "item_id": digest("item", number, place),
        "card_id": card["card_id"],
        "position": number * 1000 + place,
        "source": "prod",
        "account_id": f"a{number}",
        "user_name": f"user{number:05}",
        "email": card["email"],
        "entitlement_type": kind,
        "entitlement_id": f"{kind}:{name}",
        "name": name,
        "permission_level": "privileged" if name == "Admin" else "standard",
        "allows": ALLOWS.get(name, "See what is shared with this group of 14 accounts."),
        "opens": None if kind == "role" else "14 dashboards, edits 2; model Orders, some rows",
        "path": "role of the account" if kind == "role" else f"member of {name}",
        "risk": risk,
        "findings": "Account of a person who has left" if is_risky and number == 0 else "",
        "conflict": f"{GROUPS[(1 + 3 - place) % len(GROUPS)]} (no. {4 - place} here)" if in_conflict else None,
        "conflict_with": digest("item", number, 3 - place) if in_conflict else "",
        "peers": "14 of 16 peers (Field Sales)" if place % 2 else "2 of 16 peers (Field Sales)",
        "change": "new" if number == 2 else "unchanged",
        "recommendation": advice,
        "recommendation_reason": REASONS["left" if has_left else advice],
        "prior_decision": "keep by cfo@example.com on 2026-02-03" if is_kept else None,
        "attention": 1 if risk != "info" else 2 if number == 2 else 4 if is_kept else 3,
        "person_id": f"p{number}",
        "original_reviewer": REVIEWER,
        "reviewer": REVIEWER,
        "held": None,
    }


def digest(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:32]
