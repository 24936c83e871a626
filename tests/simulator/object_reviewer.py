"""A reviewer of objects: says what the rules about objects must find, from the records and the labels alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cached_property

from pipeline.simulator.answer_key import PlantedObject, PlantedRule
from pipeline.simulator.objects import SimulatedDashboard, SimulatedModel
from pipeline.simulator.population import Population
from tests.fakes.reach import Path, Reach, is_wider

Found = tuple[str, str, str | None, str | None, str | None]
"""Rule, severity, object, party and place."""
Made = SimulatedDashboard | SimulatedModel


class ObjectReviewer:
    def __init__(self, population: Population) -> None:
        self.population = population
        self.objects = population.objects
        self.reach = Reach(population, self.objects)
        self.users = self.reach.users
        self.persons = {row["email"]: row for row in csv.DictReader(io.StringIO(population.roster_csv(), newline=""))}

    @cached_property
    def sensitive(self) -> set[str]:
        names = {row["object"] for row in csv.DictReader(io.StringIO(self.objects.labels_csv()))}
        return {made_id(made) for made in self.everything if made_id(made) in names or made.title in names}

    @cached_property
    def everything(self) -> list[Made]:
        return [*self.objects.dashboards, *self.objects.models]

    def findings(self) -> set[Found]:
        found: set[Found] = {(PlantedObject.WEAK_SIGN_ON, "medium", None, None, None)}
        for made in self.everything:
            grants = self.reach.grants(made)
            found |= {(rule, severity, made_id(made), party, None) for rule, severity, party in self.of(made, grants)}
            if isinstance(made, SimulatedModel):
                found |= {
                    (PlantedObject.ROW_RULE_BYPASSED, "medium", made.model_id, party, place)
                    for party, place in self.bypassed(made)
                }
        for report in self.objects.reports:
            for recipient in report["recipients"]:
                if report["enabled"] and recipient["type"] == "email" and is_outside(recipient["email"]):
                    for dashboard in report["dashboards"]:
                        found.add((PlantedObject.MAILED_OUTSIDE, "medium", dashboard["id"], recipient["email"], None))
        return found

    def of(self, made: Made, grants: set[Path]) -> Iterator[tuple[str, str, str | None]]:
        is_sensitive = made_id(made) in self.sensitive
        invitations = made.invitations if isinstance(made, SimulatedDashboard) else ()
        yield from ((PlantedObject.SHARED_OUTSIDE, "medium", each) for each in invitations if is_outside(each))
        for path in grants:
            party = path.via_id
            if path.via == "public":
                yield PlantedObject.PUBLIC_DASHBOARD, "critical" if is_sensitive else "high", None
            if path.via == "everyone":
                yield PlantedObject.SHARED_WITH_EVERYONE, "high" if is_sensitive else "low", party
                if isinstance(made, SimulatedModel) and not made.rules:
                    yield PlantedObject.MODEL_WITHOUT_ROW_RULES, "high" if is_sensitive else "medium", None
            if path.via == "owner" and party not in self.users:
                yield PlantedObject.ORPHANED_OBJECT, "medium", party
            if path.via in {"owner", "account"} and party in self.users:
                if is_outside(self.users[party].get("email") or ""):
                    yield PlantedObject.SHARED_OUTSIDE, "medium", party
                if self.is_leaver(party):
                    yield PlantedObject.OBJECT_HELD_BY_LEAVER, "medium", party
            if path.via == "account" and party not in self.users:
                yield PlantedObject.SHARED_OUTSIDE, "medium", party
            if path.via == "group" and path.level == "edit" and is_sensitive:
                for account_id in self.rare_members.get(party, ()):
                    yield PlantedObject.EDIT_ON_SENSITIVE, "medium", account_id

    @cached_property
    def rare_members(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for item in self.population.planted.get(PlantedRule.RARE_GROUP_MEMBERSHIP, ()):
            assert item.account_id is not None
            found.setdefault(str(item.subject), set()).add(item.account_id)
        return found

    def is_leaver(self, account_id: str) -> bool:
        user = self.users[account_id]
        person = self.persons.get(user["userName"])
        is_inactive = user.get("active") is False and "pendingExpiration" not in user
        return is_inactive or (person is not None and person["employment_status"] == "ended")

    def bypassed(self, model: SimulatedModel) -> Iterator[tuple[str | None, str]]:
        columns: dict[str, list[dict[str, object]]] = {}
        for rule in model.rules:
            columns.setdefault(f"{rule['table']}.{rule['column']}", []).append(rule)
        for place, rules in columns.items():
            named = {
                share["partyId"]
                for rule in rules
                for share in rule["shares"]  # type: ignore[attr-defined]
                if share["type"] == "user" and share["partyId"] in self.users
            }
            for account_id in named:
                own, of_groups, _ = self.reach.levels(account_id, rules)
                if own is not None and of_groups is not None and is_wider(own, of_groups):
                    yield account_id, place
            _, _, default = self.reach.levels(self.population.users[0]["_id"], rules)
            if default is not None and default.access == "everything" and len(rules) > 1:
                yield None, place


def made_id(made: Made) -> str:
    return made.oid if isinstance(made, SimulatedDashboard) else made.model_id


def is_outside(address: str) -> bool:
    return "@" in address and not address.lower().endswith("@example.com")
