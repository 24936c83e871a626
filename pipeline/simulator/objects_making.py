"""Makes dashboards, models and folders one by one, and keeps the answer key while it does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from pipeline.simulator.answer_key import PlantedObject
from pipeline.simulator.objects import (
    LOCAL_SERVER,
    SENSITIVE,
    ObjectLabel,
    PlantedObjectFinding,
    SimulatedDashboard,
    SimulatedModel,
)
from pipeline.simulator.objects_rules import RuleMaker
from pipeline.simulator.population import DOMAIN, Population
from pipeline.simulator.staffing import Person

__all__ = ["Making"]

Record = dict[str, Any]

_TOPICS = (
    "Revenue", "Pipeline", "Churn", "Headcount", "Margin", "Inventory", "Deliveries", "Campaigns", "Tickets",
    "Usage", "Forecast", "Cash",
)  # fmt: skip
_DEPARTMENTS = ("Sales", "Finance", "Marketing", "Operations", "People", "Product", "Success")
#: Titles that break careless programs; every ninth dashboard has one.
_ODD_TITLES = (
    "Margin 100% of Plan", "Sales / EMEA", "=SUM(A1:A9) Forecast", "<b>Revenue</b> & Cost", 'Q3 "draft"; final',
    "Umsatz Größe 売上", r"C:\Reports\Cash", "Two\nLines",
)  # fmt: skip
_UNKNOWN_ID = "dead0001dead0001dead{:04x}"


class Making:
    """The objects while they are made.

    ``people`` are accounts that no rule about objects says anything about: active, internal, of a person who is
    employed and stays. ``groups`` are the groups that have members, without the built-in ones.
    """

    def __init__(self, population: Population) -> None:
        self.population = population
        self.sizes = population.sizes
        self.rng = random.Random(f"objects {population.seed}")
        self._epoch = int(population.midnight.timestamp())
        self._machine = f"{self.rng.getrandbits(40):010x}"
        self._made = self._unknown = 0
        self._titles: Counter[str] = Counter()
        self.persons = {person.email: person for person in population.people}
        self.users = {user["_id"]: user for user in population.users}
        self.people = self._clean_accounts()
        builtin = {"Everyone", "Admins", "All users in system", "Emergency Access"}
        self.group_ids = {group["name"]: group["_id"] for group in population.groups}
        self.groups = [
            group["_id"]
            for group in population.groups
            if group["name"] not in builtin and population.members[group["_id"]]
        ]
        self.everyone_id: str = self.group_ids["Everyone"]
        self.row_rules = RuleMaker(self.rng, self.people, self.groups, self.everyone_id, self.new_id)
        self.dashboards: list[SimulatedDashboard] = []
        self.models: list[SimulatedModel] = []
        self.folders: list[Record] = []
        self.reports: list[Record] = []
        self.labels: list[ObjectLabel] = []
        self.planted: dict[str, list[PlantedObjectFinding]] = {}

    def _clean_accounts(self) -> list[Record]:
        population = self.population
        planted = {item.account_id for items in population.planted.values() for item in items}
        persons = {item.subject for items in population.planted.values() for item in items}
        clean = []
        for user in population.users:
            person = self.persons.get(user["userName"])
            if (
                person is not None
                and user["_id"] not in planted
                and person.person_id not in persons
                and user.get("active") is True
                and (user.get("email") or "").lower() == person.email
                and person.email.endswith(f"@{DOMAIN}")
                and person.employment_status == "active"
                and not person.end_date
            ):
                clean.append(user)
        return clean

    # parts -----------------------------------------------------------------------------------------------

    def new_id(self, days: int = 500) -> str:
        """Return a new id: 24 hex digits that begin with the second of creation, ``days`` ago."""
        self._made += 1
        second = self._epoch - days * 86_400 + self.rng.randrange(80_000)
        return f"{second:08x}{self._machine}{self._made:06x}"

    def unknown_id(self) -> str:
        """Return an id that no account and no group has."""
        self._unknown += 1
        return _UNKNOWN_ID.format(self._unknown)

    def moment(self, days: int) -> str:
        """Return some moment of the day that began ``days`` before the anchor's midnight, as the API writes it."""
        moment = self.population.midnight - timedelta(days=days) + timedelta(seconds=self.rng.randrange(86_000))
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def someone(self) -> str:
        """Return the id of an account from ``people``."""
        return str(self.rng.choice(self.people)["_id"])

    def person_of(self, user: Record) -> Person | None:
        """Return the person of an account that was hired."""
        return self.persons.get(user["userName"])

    def title(self) -> str:
        """Return a new title of a dashboard."""
        number = len(self.dashboards)
        if number % 9 == 8:
            return self._unique(_ODD_TITLES[number // 9 % len(_ODD_TITLES)])
        return self._unique(f"{self.rng.choice(_DEPARTMENTS)} {self.rng.choice(_TOPICS)}")

    def _unique(self, title: str) -> str:
        self._titles[title] += 1
        number = self._titles[title]
        return title if number == 1 else f"{title} {number}"

    # dashboards ------------------------------------------------------------------------------------------

    def shares(self, count: int, *, owner: str, may_edit: bool = True) -> tuple[Record, ...]:
        """Return shares with ``count`` different groups and people, fewer if there are not enough."""
        groups = self.rng.sample(self.groups, min(len(self.groups), (2 * count + 2) // 5))
        people = self.rng.sample(self.people, min(len(self.people), count - len(groups) + 1))
        chosen = [(group_id, "group") for group_id in groups]
        chosen += [(user["_id"], "user") for user in people if user["_id"] != owner]
        return tuple(self.share(*party, may_edit=may_edit) for party in chosen[: max(0, count)])

    def share(self, party: str, kind: str, rule: str | None = None, *, may_edit: bool = True) -> Record:
        """Return a share with one party; without ``rule`` a quarter may edit."""
        if rule is None:
            rule = "edit" if may_edit and self.rng.random() < 0.25 else "view"
        return {"shareId": party, "type": kind, "rule": rule, "subscribe": self.rng.random() < 0.1}

    def dashboard(
        self,
        shares: Iterable[Record] | None = None,
        *,
        owner: str | None = None,
        title: str | None = None,
        **facts: Any,
    ) -> SimulatedDashboard:
        """Add a dashboard. Without shares, it is shared with two parties who may view it."""
        owner = owner or self.someone()
        age = self.rng.randrange(40, 1_500)
        given = self.shares(2, owner=owner, may_edit=False) if shares is None else tuple(shares)
        dashboard = SimulatedDashboard(
            oid=self.new_id(age),
            title=title or self.title(),
            owner=owner,
            model_id=facts.pop("model_id", None) or self.rng.choice(self.models).model_id,
            folder=self.rng.choice(self.folders)["oid"] if self.folders and self.rng.random() < 0.8 else None,
            shares=given,
            created=self.moment(age),
            last_updated=self.moment(self.rng.randrange(0, 40)),
            **facts,
        )
        self.dashboards.append(dashboard)
        return dashboard

    # models ----------------------------------------------------------------------------------------------

    def permissions(self, *, may_edit: bool = True) -> tuple[Record, ...]:
        """Return the permissions of an ordinary model: some groups use it, one person edits it."""
        groups = self.rng.sample(self.groups, min(len(self.groups), 2 + self.rng.randrange(3)))
        given = [
            self.permission(group_id, "group", "a" if may_edit and number % 3 == 2 else "r")
            for number, group_id in enumerate(groups)
        ]
        if may_edit:
            given.append(self.permission(self.someone(), "user", "w"))
        return tuple(given)

    def permission(self, party: str, kind: str, letter: str = "r") -> Record:
        """Return one permission: ``r`` use, ``a`` read, ``w`` edit."""
        return {"partyId": party, "type": kind, "permission": letter}

    def everybody(self, letter: str = "r") -> Record:
        """Return the permission of the built-in group of all accounts."""
        return self.permission(self.everyone_id, "group", letter)

    def model(
        self,
        shares: Sequence[Record] | None = None,
        rules: Sequence[Record] | None = None,
        *,
        is_live: bool = False,
        creator: str | None = None,
    ) -> SimulatedModel:
        """Add a model. Without ``shares`` and ``rules`` it has ordinary ones."""
        age = self.rng.randrange(60, 1_800)
        model = SimulatedModel(
            model_id=self.new_id(age),
            title=self._unique(f"{self.rng.choice(_TOPICS)} Model"),
            server="" if is_live else LOCAL_SERVER,
            creator=creator or self.someone(),
            shares=self.permissions() if shares is None else tuple(shares),
            created=self.moment(age),
            last_updated=self.moment(self.rng.randrange(0, 20)),
            size_mb=0 if is_live else self.rng.randrange(20, 4_000),
            rules=self.row_rules.ordinary(4) if rules is None else tuple(rules),
        )
        self.models.append(model)
        return model

    # answer key ------------------------------------------------------------------------------------------

    def plant(
        self,
        rule: PlantedObject,
        severity: str,
        made: SimulatedDashboard | SimulatedModel,
        *,
        party: str | None = None,
        place: str | None = None,
        detail: str = "",
    ) -> None:
        """Record that a rule must report this object."""
        if isinstance(made, SimulatedDashboard):
            kind, object_id = "dashboard", made.oid
        else:
            kind, object_id = "model", made.model_id
        found = PlantedObjectFinding(severity, kind, object_id, party, place, detail)
        self.planted.setdefault(rule, []).append(found)

    def label(self, made: SimulatedDashboard | SimulatedModel, *, by_title: bool = False) -> None:
        """Label an object as sensitive, by its id or by its title."""
        kind, object_id = (
            ("dashboard", made.oid) if isinstance(made, SimulatedDashboard) else ("model", made.model_id)
        )
        owner = f"data-owner@{DOMAIN}"
        self.labels.append(ObjectLabel(kind, made.title if by_title else object_id, SENSITIVE, owner))
