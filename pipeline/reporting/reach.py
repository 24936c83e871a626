"""The section "Who can see which data": sentences, and tables that are cut where the CSV files have the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars

from pipeline.reporting.objects import ObjectTables
from pipeline.reporting.text import count, number

__all__ = ["ReachView", "SensitiveObject", "SignOn", "arrange"]

Row = dict[str, Any]

_READ = ("FULL", "PARTIAL")
#: Lists that a server without add-ons has, too.
_OF_ACCESS = ("dashboards", "models", "row_rules")
_KINDS = {"dashboard": "dashboard", "model": "data model", "folder": "folder"}
_LEVELS = {"owner": "owner", "edit": "may edit", "view": "may view", "read": "may read", "use": "may use"}


@dataclass(frozen=True, slots=True)
class SensitiveObject:
    """A sensitive object, its widest grants, and how many more it has."""

    row: Row
    grants: tuple[Row, ...]
    more: int


@dataclass(frozen=True, slots=True)
class SignOn:
    """How people sign in to one source, in sentences."""

    source: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachView:
    """All values of the section. If ``is_read`` is false, a report has the one paragraph ``not_read`` instead.

    ``unread`` are the lists that were not read whole; ``is_complete`` says whether all that matter for access were.
    ``has_objects`` is false if neither dashboards nor models were read. ``disagree`` holds sentences
    about counts of seats that differ from the server's.
    """

    is_read: bool
    not_read: str
    has_objects: bool
    headline: tuple[str, ...]
    unread: tuple[Row, ...]
    is_complete: bool
    figures: Mapping[str, int]
    exposed: tuple[Row, ...]
    sensitive: tuple[SensitiveObject, ...]
    roles: tuple[str, ...]
    row_rules: tuple[Row, ...]
    seats: tuple[Row, ...]
    disagree: tuple[str, ...]
    has_prices: bool
    sign_on: tuple[SignOn, ...]


def arrange(tables: ObjectTables) -> ReachView:
    """Arrange the tables of one build for reading."""
    lists = _rows(tables.lists)
    has_objects = any(row["list"] in ("dashboards", "models") and row["state"] in _READ for row in lists)
    seats = _rows(tables.seats)
    return ReachView(
        is_read=any(row["state"] in _READ for row in lists),
        not_read=_not_read(lists),
        has_objects=has_objects,
        headline=tuple(_headline(tables.figures)) if has_objects else (),
        unread=tuple(row for row in lists if row["state"] != "FULL"),
        is_complete=not any(
            row["state"] == "PARTIAL" or (row["list"] in _OF_ACCESS and row["state"] != "FULL") for row in lists
        ),
        figures=tables.figures,
        exposed=tuple(
            {**row, "kind": _KINDS[row["object_type"]], "shared": _shared(row)} for row in _rows(tables.exposed)
        ),
        sensitive=tuple(_sensitive(tables)),
        roles=tuple(_roles(_rows(tables.roles))),
        row_rules=tuple({**row, "others": _others(row)} for row in _rows(tables.row_rules)),
        seats=seats,
        disagree=tuple(_disagreements(seats)),
        has_prices=any(row["price"] is not None for row in seats),
        sign_on=tuple(SignOn(row["source"], tuple(_sign_on(row))) for row in _rows(tables.sign_on)),
    )


def _rows(frame: polars.DataFrame) -> tuple[Row, ...]:
    return tuple(frame.iter_rows(named=True))


def _not_read(lists: Sequence[Row]) -> str:
    """Return the paragraph of a report without this section."""
    reasons = {
        row["source"]: row["explanation"].rstrip(".")
        for row in lists
        if row["list"] == "dashboards" and row["explanation"]
    }
    if len(set(reasons.values())) == 1:
        why = f" {next(iter(reasons.values()))}."
    else:
        why = "".join(f" {source}: {reason}." for source, reason in reasons.items())
    return (
        f"Which dashboards, data models and rows an account can see is not part of this report.{why}"
        " Roles and groups, with who holds them, are; licences.csv counts the seats from the accounts alone."
    )


def _headline(figures: Mapping[str, int]) -> Iterator[str]:
    dashboards, models = figures["dashboards"], figures["models"]
    if not dashboards and not models:
        yield "There is no dashboard and no data model."
        return
    yield f"There {_is(dashboards)} {count(dashboards, 'dashboard')} and {count(models, 'data model')}."
    if public := figures["public_objects"]:
        yield (
            f"{count(public, 'dashboard')} {_is(public)} public: anyone with the link sees"
            f" {'it' if public == 1 else 'them'} without an account."
        )
    if everyone := figures["for_everyone"]:
        yield f"{count(everyone, 'object')} {_is(everyone)} shared with everyone."
    if invited := figures["invited"]:
        people = "a person" if invited == 1 else "people"
        yield f"{count(invited, 'object')} {_is(invited)} shared by invitation with {people} without an account."
    if unknown := figures["public_unknown"]:
        yield f"Whether {count(unknown, 'dashboard')} {_is(unknown)} public is not known."
    if unread := figures["without_shares"]:
        yield f"With whom {count(unread, 'object')} {_is(unread)} shared could not be read."
    if not any((public, everyone, invited, unknown, unread)):
        yield "None is public, shared with everyone, or shared by invitation."


def _is(number_of: int) -> str:
    return "is" if number_of == 1 else "are"


def _shared(row: Row) -> str:
    """Return with whom an object is shared, the widest first."""
    parts = [
        "anyone with the link" if row["is_public"] else "",
        "everyone" if row["is_for_everyone"] else "",
        count(row["groups"], "group") if row["groups"] else "",
        count(row["accounts"], "account") if row["accounts"] else "",
        count(row["invitations"], "invitation") if row["invitations"] else "",
    ]
    return ", ".join(filter(None, parts)) or "not shared"


def _sensitive(tables: ObjectTables) -> Iterator[SensitiveObject]:
    grants: dict[int, list[Row]] = {}
    totals: dict[int, int] = {}
    roles = _rows(tables.roles)
    for row in _rows(tables.grants):
        grants.setdefault(row["sensitive_position"], []).append(
            {**row, "holder": _holder(row), "level": _LEVELS.get(row["level"], row["level"])}
        )
        totals[row["sensitive_position"]] = row["total"]
    for row in _rows(tables.sensitive):
        shown = tuple(grants.get(row["sensitive_position"], ()))
        more = totals.get(row["sensitive_position"], 0) - len(shown)
        by_role = (
            {**role, "holder": _holder(role), "level": _LEVELS.get(role["level"], role["level"])}
            for role in roles
            if (role["source"], role["object_type"]) == (row["source"], row["object_type"])
        )
        yield SensitiveObject({**row, "kind": _KINDS[row["object_type"]]}, (*shown, *by_role), more)


def _holder(grant: Row) -> str:
    """Return who holds a grant."""
    name: str | None = grant["granted_to_name"]
    kind: str = grant["granted_to_type"]
    if kind == "public":
        return "Anyone with the link"
    if kind == "everyone":
        return "Everyone"
    if not name:
        return f"{kind.capitalize()} that does not exist, {grant['granted_to_id']}"
    return {"group": f"Group {name}", "role": f"Role {name}", "invitation": f"Invitation to {name}"}.get(kind, name)


def _roles(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what each role reaches by itself: ``Admin (4 accounts) every dashboard and every data model``."""
    has_sources = len({row["source"] for row in rows}) > 1
    reached: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        reached.setdefault((row["source"], row["granted_to_id"]), []).append(row)
    for (source, role_id), found in reached.items():
        kinds = " and ".join(f"every {_KINDS[row['object_type']]}" for row in found)
        where = f" in {source}" if has_sources else ""
        accounts = count(found[0]["accounts_reached"] or 0, "account")
        yield f"{found[0]['granted_to_name'] or role_id}{where} ({accounts}) {kinds}"


def _others(row: Row) -> str:
    """Return what accounts see that no rule of a model names."""
    if row["open_columns"] == row["restricted_columns"]:
        return "every row"
    return "no row" if row["closed_columns"] else "some rows"


def _disagreements(seats: Sequence[Row]) -> Iterator[str]:
    for row in seats:
        used, counted = row["seats_used"], row["seats_counted"]
        if used is not None and used != counted:
            seats_in_use = count(used, f"{row['seat_class']} seat")
            unknown = sum(
                other["seats_counted"]
                for other in seats
                if (other["source"], other["seat_class"]) == (row["source"], "unknown")
            )
            rest = f" and {count(unknown, 'account')} of unknown class" if unknown else ""
            yield f"{row['source']}: the server counts {seats_in_use}, this report {number(counted)}{rest}."


def _sign_on(row: Row) -> Iterator[str]:
    """Yield what is known about sign-on and lockout; what is not known is not said."""
    kind = f" ({row['sso_type'].upper()})" if row["sso_type"] else ""
    if row["is_sso_enabled"] is not None:
        yield f"Single sign-on is {f'on{kind}' if row['is_sso_enabled'] else 'off'}."
    if row["creates_accounts"] is not None:
        yield f"A first sign-on creates {'an' if row['creates_accounts'] else 'no'} account."
    if row["is_legacy_jwt"]:
        yield "The older, less secure form of JSON Web Tokens is accepted."
    if row["syncs_groups"]:
        yield "Groups follow the identity provider at each sign-on."
    if row["is_lockout_enabled"] is False:
        yield "Wrong passwords never lock an account."
    elif row["is_lockout_enabled"]:
        attempts, within, locked = row["max_failed_attempts"], row["failed_attempts_minutes"], row["lockout_minutes"]
        yield (
            "An account is locked"
            + (f" for {count(locked, 'minute')}" if locked else "")
            + (f" after {count(attempts, 'failed sign-in')}" if attempts else " after failed sign-ins")
            + (f" within {count(within, 'minute')}" if within else "")
            + "."
        )
