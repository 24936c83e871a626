"""Plants what the rules about objects must find, and its near misses, among ordinary objects.

The number of conditions does not grow with the organisation. A small one has those that fit, in a fixed order.

Readings of the rules that the key rests on, where their words leave room:

- Everyone is the built-in group of that name alone. What is open to it is one finding for each object.
- An address is outside if its domain is not the organisation's. The owner's own share is no share, and members of a
  group are not looked at. A share with an unknown group is not outside; one with an unknown account is.
- A leaver is a person whose status is ended, or an account that is inactive; a pending one is neither.
- Only an owner whose account does not exist makes an object orphaned. Folders are not looked at, and extract models
  have no owner that the API tells.
- A user's rule is wider if it lets through all that the rules of the user's groups do, and more. An overlap is not,
  and a column without a default rule has none that says everything.
- A group is rare for an account if the rule about rare groups says so.
- Only enabled reports are mailed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.simulator import objects_posture as posture
from pipeline.simulator.answer_key import PlantedObject, PlantedRule
from pipeline.simulator.objects import Objects, PlantedObjectFinding
from pipeline.simulator.objects_making import Making, Record
from pipeline.simulator.objects_rules import DEFAULT, Column, group, user
from pipeline.simulator.population import DOMAIN, Population

__all__ = ["Planting"]

_PARTNER = "partner.example.net"
_FULL = 60
"""From this many dashboards and 20 models on there is room for every condition."""
_RARE_GROUP = "Emergency Access"
"""A group with one member, of organisations of 500 accounts and more."""


class Planting(Making):
    """All objects of one population: what is planted, then ordinary ones until the sizes are reached."""

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        self._accounts = {
            rule: [self.users[item.account_id] for item in population.planted.get(rule, ()) if item.account_id]
            for rule in PlantedRule
        }
        has_room = self.sizes.dashboards >= _FULL and self.sizes.models >= 20
        self.is_full = has_room and _RARE_GROUP in self.group_ids

    def finished(self) -> Objects:
        """Make everything and return it."""
        self._make_folders()
        self.model(rules=self.row_rules.ordinary(3))  # the data source of the planted dashboards
        for plant, dashboards, models in self._conditions():
            if (
                len(self.dashboards) + dashboards < self.sizes.dashboards
                and len(self.models) + models <= self.sizes.models
            ):
                plant()
        self._settings()
        self._fill_models()
        self._fill_dashboards()
        return Objects(
            dashboards=tuple(self.dashboards),
            models=tuple(self.models),
            folders=tuple(self.folders),
            reports=tuple(self.reports),
            tenants=posture.tenants(self.population),
            sso=posture.sign_on(),
            lockout=posture.LOCKOUT,
            everyone_id=self.everyone_id,
            members=self.population.members,
            labels=tuple(self.labels),
            planted={rule: tuple(items) for rule, items in self.planted.items()},
        )

    def _conditions(self) -> Iterator[tuple[Callable[[], None], int, int]]:
        """Yield each condition with the dashboards and models that it adds, the most telling first."""
        yield self.open_link, 1, 0
        yield self.invited_outside, 1, 0
        yield self.open_model, 0, 1
        yield self.wide_default, 0, 1
        yield self.owner_gone, 1, 0
        yield self.owner_left, 1, 0
        yield self.open_to_all, 1, 0
        yield self.outside_viewer, 1, 0
        yield self.mailed, 1, 0
        yield self.inactive_holder, 1, 0
        yield self.unknown_account, 1, 0
        yield self.open_link_sensitive, 1, 0
        if self.is_full:
            yield self.open_to_all_sensitive, 1, 0
            yield self.open_model_sensitive, 0, 1
            yield self.open_live_model, 0, 1
            yield self.open_model_with_rules, 0, 1
            yield self.outside_owner, 1, 0
            yield self.left_editor, 1, 0
            yield self.outside_model, 0, 1
            yield self.model_of_inactive, 0, 1
            yield self.creator_gone, 0, 1
            yield self.wide_user, 0, 1
            yield self.rare_editor, 1, 0
            yield self.rare_model_editor, 0, 1
            yield self.near_misses_of_dashboards, 6, 0
            yield self.near_misses_of_models, 0, 2

    # dashboards ------------------------------------------------------------------------------------------

    def open_link(self) -> None:
        """Make a dashboard public."""
        self.plant(PlantedObject.PUBLIC_DASHBOARD, "high", self.dashboard(is_public=True))

    def open_link_sensitive(self) -> None:
        """Make a sensitive dashboard public."""
        made = self.dashboard(is_public=True)
        self.label(made)
        self.plant(PlantedObject.PUBLIC_DASHBOARD, "critical", made, detail="sensitive")

    def open_to_all(self) -> None:
        """Share a dashboard with the group of all accounts."""
        made = self.dashboard([self.share(self.everyone_id, "group", "view")])
        self.plant(PlantedObject.SHARED_WITH_EVERYONE, "low", made, party=self.everyone_id)

    def open_to_all_sensitive(self) -> None:
        """Share a sensitive dashboard with the group of all accounts."""
        made = self.dashboard([self.share(self.everyone_id, "group", "view")])
        self.label(made)
        self.plant(PlantedObject.SHARED_WITH_EVERYONE, "high", made, party=self.everyone_id, detail="sensitive")

    def invited_outside(self) -> None:
        """Invite an address outside the organisation."""
        address = f"auditor@{_PARTNER}"
        made = self.dashboard(invitations=(address,))
        self.plant(PlantedObject.SHARED_OUTSIDE, "medium", made, party=address, detail="a pending invitation")

    def outside_viewer(self) -> None:
        """Share a dashboard with an external account."""
        for account in self._accounts[PlantedRule.EXTERNAL_DOMAIN][:1]:
            made = self.dashboard([self.share(account["_id"], "user", "view")])
            self.plant(PlantedObject.SHARED_OUTSIDE, "medium", made, party=account["_id"], detail="a partner")

    def outside_owner(self) -> None:
        """Let an external account own a dashboard."""
        for account in self._accounts[PlantedRule.EXTERNAL_DOMAIN][3:4]:
            made = self.dashboard(owner=account["_id"])
            self.plant(
                PlantedObject.SHARED_OUTSIDE, "medium", made, party=account["_id"], detail="owned by a partner"
            )

    def unknown_account(self) -> None:
        """Share a dashboard with an account that does not exist."""
        party = self.unknown_id()
        made = self.dashboard([*self.shares(1, owner=""), self.share(party, "user", "view")])
        self.plant(PlantedObject.SHARED_OUTSIDE, "medium", made, party=party, detail="no such account")

    def owner_gone(self) -> None:
        """Let an account that was deleted own a dashboard."""
        party = self.unknown_id()
        made = self.dashboard(owner=party, owner_is_listed=False)
        self.plant(PlantedObject.ORPHANED_OBJECT, "medium", made, party=party, detail="the owner was deleted")

    def _leavers(self) -> list[Record]:
        """Return active accounts of people who left, in so many words."""
        found = []
        for account in self._accounts[PlantedRule.LEAVER_ACTIVE]:
            person = self.person_of(account)
            if person is not None and person.employment_status == "ended" and person.end_date:
                found.append(account)
        return found

    def owner_left(self) -> None:
        """Let a person who left own a dashboard."""
        for account in self._leavers()[:1]:
            made = self.dashboard(owner=account["_id"])
            self.plant(PlantedObject.OBJECT_HELD_BY_LEAVER, "medium", made, party=account["_id"], detail="the owner")

    def left_editor(self) -> None:
        """Let a person who left edit a dashboard."""
        for account in self._leavers()[1:2]:
            made = self.dashboard([self.share(account["_id"], "user", "edit")])
            self.plant(PlantedObject.OBJECT_HELD_BY_LEAVER, "medium", made, party=account["_id"], detail="may edit")

    def inactive_holder(self) -> None:
        """Share a dashboard with an inactive account."""
        for account in self._accounts[PlantedRule.INACTIVE_WITH_ACCESS][:1]:
            made = self.dashboard([self.share(account["_id"], "user", "edit")])
            self.plant(PlantedObject.OBJECT_HELD_BY_LEAVER, "medium", made, party=account["_id"], detail="inactive")

    def mailed(self) -> None:
        """Mail a dashboard to an address outside the organisation."""
        address = f"board@{_PARTNER}"
        made = self.dashboard()
        self._report([made.oid], [*self._inside(), {"type": "email", "id": self.new_id(90), "email": address}])
        self.plant(PlantedObject.MAILED_OUTSIDE, "medium", made, party=address)

    def _inside(self) -> list[Record]:
        account = self.users[self.someone()]
        return [
            {"type": "user", "id": account["_id"], "email": account["email"]},
            {"type": "group", "id": self.groups[0], "email": None},
            {"type": "email", "id": self.new_id(90), "email": f"office@{DOMAIN}"},
        ]

    def _report(self, dashboards: list[str], recipients: list[Record], *, is_enabled: bool = True) -> None:
        self.reports.append(posture.report(self.new_id(200), dashboards, recipients, is_enabled=is_enabled))

    # models ----------------------------------------------------------------------------------------------

    def open_model(self) -> None:
        """Open a model to all accounts, without a row rule."""
        self._open_model("low", "medium", "")

    def open_model_sensitive(self) -> None:
        """Open a sensitive model to all accounts, without a row rule."""
        self._open_model("high", "high", "sensitive")
        self.label(self.models[-1])

    def open_live_model(self) -> None:
        """Open a live model to all accounts, without a row rule."""
        self._open_model("low", "medium", "a live model", is_live=True)

    def _open_model(self, severity: str, unruled: str, detail: str, *, is_live: bool = False) -> None:
        made = self.model([self.everybody(), *self.permissions()], (), is_live=is_live)
        self.plant(PlantedObject.SHARED_WITH_EVERYONE, severity, made, party=self.everyone_id, detail=detail)
        self.plant(PlantedObject.MODEL_WITHOUT_ROW_RULES, unruled, made, detail=detail)

    def open_model_with_rules(self) -> None:
        """Open a model to all accounts, with row rules."""
        made = self.model([self.everybody()], self.row_rules.ordinary(4))
        self.plant(PlantedObject.SHARED_WITH_EVERYONE, "low", made, party=self.everyone_id, detail="with row rules")

    def outside_model(self) -> None:
        """Share a model with an external account."""
        for account in self._accounts[PlantedRule.EXTERNAL_DOMAIN][:1]:
            made = self.model([*self.permissions(), self.permission(account["_id"], "user")])
            self.plant(PlantedObject.SHARED_OUTSIDE, "medium", made, party=account["_id"], detail="a partner")

    def model_of_inactive(self) -> None:
        """Share a model with an inactive account."""
        account = self._accounts[PlantedRule.INACTIVE_WITH_ACCESS][1]
        made = self.model([*self.permissions(), self.permission(account["_id"], "user", "a")])
        self.plant(PlantedObject.OBJECT_HELD_BY_LEAVER, "medium", made, party=account["_id"], detail="inactive")

    def creator_gone(self) -> None:
        """Let an account that was deleted be the creator of a live model."""
        party = self.unknown_id()
        made = self.model(is_live=True, creator=party)
        self.plant(PlantedObject.ORPHANED_OBJECT, "medium", made, party=party, detail="the creator was deleted")

    def _column(self) -> Column:
        return next(self.row_rules.columns())

    def wide_default(self) -> None:
        """Restrict one group, and let all others see everything by default."""
        column = self._column()
        column.allow([0, 1], group(self.groups[0]))
        column.everything(DEFAULT)
        made = self.model(rules=column.rules)
        self.plant(
            PlantedObject.ROW_RULE_BYPASSED, "medium", made, place=column.place, detail="everything by default"
        )

    def wide_user(self) -> None:
        """Let one user see more than the user's group does."""
        account = next(each for each in self.people if set(each["groups"]) & set(self.groups))
        own = next(group_id for group_id in account["groups"] if group_id in set(self.groups))
        column = self._column()
        column.allow([0, 1], group(own))
        column.allow([0, 1, 2], user(account["_id"]))
        column.nothing(DEFAULT)
        made = self.model(rules=column.rules)
        self.plant(
            PlantedObject.ROW_RULE_BYPASSED, "medium", made, party=account["_id"], place=column.place,
            detail="wider than the group",
        )  # fmt: skip

    # sensitive objects and rare groups ---------------------------------------------------------------------

    def _rare_members(self, group_name: str) -> list[str]:
        group_id = self.group_ids[group_name]
        rare = self.population.planted.get(PlantedRule.RARE_GROUP_MEMBERSHIP, ())
        return [item.account_id for item in rare if item.subject == group_id and item.account_id]

    def rare_editor(self) -> None:
        """Let a group edit a sensitive dashboard that is rare among the peers of its member."""
        made = self.dashboard([self.share(self.group_ids[_RARE_GROUP], "group", "edit")])
        self.label(made)
        for account_id in self._rare_members(_RARE_GROUP):
            self.plant(PlantedObject.EDIT_ON_SENSITIVE, "medium", made, party=account_id, detail=_RARE_GROUP)

    def rare_model_editor(self) -> None:
        """Let a group edit a sensitive model that is rare among the peers of some members."""
        made = self.model([self.permission(self.group_ids["People Hiring"], "group", "w")])
        self.label(made)
        for account_id in self._rare_members("People Hiring"):
            self.plant(PlantedObject.EDIT_ON_SENSITIVE, "medium", made, party=account_id, detail="People Hiring")

    # near misses -------------------------------------------------------------------------------------------

    def near_misses_of_dashboards(self) -> None:
        """Add dashboards that look like conditions, and of which no rule may report anything."""
        invited = self._accounts[PlantedRule.STALE_INVITATION][0]
        self.dashboard([self.share(invited["_id"], "user", "view")])
        on_leave = next(each for each in self.users.values() if self._is_on_leave(each))
        self.dashboard([self.share(on_leave["_id"], "user", "view")])
        self.dashboard(invitations=(f"joiner@{DOMAIN}",))
        # an unknown group, and a group with external members
        self.dashboard([self.share(self.unknown_id(), "group", "view")])
        outsider = self._accounts[PlantedRule.EXTERNAL_DOMAIN][0]
        self.dashboard([self.share(outsider["groups"][0], "group", "view")])
        # all accountants may edit a sensitive dashboard, which is common among them
        common = self.dashboard([self.share(self.group_ids["Finance Accountants"], "group", "edit")])
        self.label(common)
        outside: Record = {"type": "email", "id": self.new_id(90), "email": f"nobody@{_PARTNER}"}
        self._report([common.oid], [outside], is_enabled=False)
        self._report([common.oid], self._inside())

    def _is_on_leave(self, account: Record) -> bool:
        person = self.person_of(account)
        return person is not None and person.employment_status == "leave" and account.get("active") is True

    def near_misses_of_models(self) -> None:
        """Add a column where user and group overlap, and one without a default rule."""
        account = next(each for each in self.people if set(each["groups"]) & set(self.groups))
        own = next(group_id for group_id in account["groups"] if group_id in set(self.groups))
        overlap = self._column()
        overlap.allow([0, 1], group(own))
        overlap.allow([1, 2], user(account["_id"]))
        overlap.nothing(DEFAULT)
        self.model(rules=overlap.rules)
        column = self._column()
        column.allow([0, 1], group(own))
        self.model(rules=column.rules, is_live=True)

    # everything else ---------------------------------------------------------------------------------------

    def _settings(self) -> None:
        """Record that single sign-on and lockout of the source are weak."""
        detail = "accounts made at login, legacy JWT, no lockout"
        self.planted[PlantedObject.WEAK_SIGN_ON] = [PlantedObjectFinding("medium", "", None, detail=detail)]

    def _make_folders(self) -> None:
        for number in range(max(2, self.sizes.dashboards // 6)):
            # roots, folders in them, and folders in those
            parent = None if number % 3 == 0 else self.folders[number - 1]["oid"]
            self.folders.append(
                {
                    "oid": self.new_id(1_800),
                    "name": f"{('Boards', 'Teams', 'Archive / 2025')[number % 3]} {number // 3 + 1}",
                    "parentId": parent,
                    "owner": self.someone(),
                    "created": self.moment(1_700),
                    "lastUpdated": self.moment(100),
                }
            )

    def _fill_models(self) -> None:
        missing = self.sizes.models - len(self.models)
        total = self.sizes.row_rules - sum(len(model.rules) for model in self.models)
        given = 0
        for number in range(missing):
            # a third of the models has no row rules
            has_rules = number % 3 != 2 or number == missing - 1
            due = max(0, total * (number + 1) // missing - given) if has_rules else 0
            model = self.model(rules=self.row_rules.ordinary(due), is_live=number % 4 == 0)
            given += len(model.rules)

    def _fill_dashboards(self) -> None:
        missing = self.sizes.dashboards - len(self.dashboards)
        total = self.sizes.shares - sum(len(dashboard.shares) for dashboard in self.dashboards)
        given = 0
        for number in range(missing):
            due = total * (number + 1) // missing - given + (0, 2, -1, 3, -4)[number % 5]
            owner = self.someone()
            is_labelled = self.is_full and number < 3
            shares = self.shares(max(0, due), owner=owner, may_edit=not is_labelled)
            title = "Board Pack" if is_labelled and number else None
            dashboard = self.dashboard(shares, owner=owner, title=title)
            given += len(dashboard.shares)
            # one title names two dashboards, and one label both
            if is_labelled and number < 2:
                self.label(dashboard, by_title=bool(number))
        if self.is_full:
            self.label(self.models[0])
