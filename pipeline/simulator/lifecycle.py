"""Plants conditions of the account life cycle: unused accounts, invitations, leavers and orphaned accounts."""

from __future__ import annotations

from pipeline.simulator import names
from pipeline.simulator.answer_key import PlantedRule
from pipeline.simulator.planter import Planter
from pipeline.simulator.staffing import DOMAIN, Hire, User

__all__ = ["Lifecycle"]


class Lifecycle(Planter):
    """Conditions of the account life cycle, each with its near misses."""

    def stale(self) -> None:
        """Leave accounts unused for longer than the limits, and for a little less."""
        org = self.org
        for number in self.times(8):
            user = self.viewer(seen=100 + 9 * number).user
            status = "open"
            if number == 1:
                org.exceptions.append(
                    (
                        PlantedRule.STALE_ACCOUNT,
                        "",
                        user["userName"],
                        "parental leave",
                        "ciso@example.com",
                        org.date(-60),
                    )
                )
                status = "accepted_risk"
            if number == 2:
                org.out_of_scope.append(("", user["userName"], "training instance", "ciso@example.com"))
                status = "out_of_scope"
            org.plant(PlantedRule.STALE_ACCOUNT, "medium", user, status=status, detail="not seen for over 90 days")
        for number in self.times(5):
            user = self.viewer(seen=190 + 80 * number).user
            org.plant(PlantedRule.STALE_ACCOUNT, "high", user, detail="not seen for over 180 days")
        for _ in self.times(4):
            self.viewer(seen=85)
        if org.is_full:
            opens_dashboards = self.viewer(seen=200).user
            opens_dashboards["lastLogin"] = org.moment(200)
            opens_dashboards["lastActivity"] = org.moment(9)

        for number in self.times(3):
            user = org.hire(self.engineer, seen=60 + 9 * number).user
            org.plant(PlantedRule.STALE_PRIVILEGED_ACCOUNT, "high", user, detail="not seen for over 45 days")
        for number in self.times(2):
            user = org.hire(self.engineer, seen=120 + 90 * number).user
            org.plant(PlantedRule.STALE_PRIVILEGED_ACCOUNT, "critical", user, detail="not seen for over 90 days")
        for _ in self.times(2):
            org.hire(self.engineer, seen=41)
        # privileged through the permissions of its role, not through its name
        user = org.hire(self.analyst, seen=70).user
        user["roleId"] = org.role_ids["custom_userDesk"]
        org.plant(PlantedRule.STALE_PRIVILEGED_ACCOUNT, "high", user, detail="a custom role that manages users")
        if org.is_full:
            org.hire(self.analyst, seen=20).user["roleId"] = org.role_ids["custom_userDesk"]

    def never_seen(self) -> None:
        """Add accounts that have never logged in."""
        org = self.org
        for value in (..., None, ""):
            user = self.viewer(seen=5, created=60).user
            org.never_seen(user, value=value)
            org.plant(
                PlantedRule.NEVER_LOGGED_IN,
                "medium",
                user,
                detail=f"lastLogin is {'absent' if value is ... else value!r}",
            )
        undated = self.viewer(seen=5, created=400).user
        org.never_seen(undated)
        del undated["created"]
        org.plant(PlantedRule.NEVER_LOGGED_IN, "medium", undated, detail="no creation date")
        for _ in self.times(2):
            user = org.hire(self.engineer, seen=5, created=21).user
            org.never_seen(user)
            org.plant(PlantedRule.NEVER_LOGGED_IN, "high", user, detail="privileged, past 14 days")
        org.never_seen(self.viewer(seen=5, created=25).user)
        org.never_seen(org.hire(self.engineer, seen=5, created=9).user)

    def odd_times(self) -> None:
        """Write timestamps that cannot be parsed, and unusual ones that can."""
        org = self.org
        for value in ("not a date", "infinity", f"{org.date(-400)}T08:00:00.000Z", "0001-01-01T00:00:00.000Z"):
            user = self.viewer(seen=5).user
            org.unreadable(user, value)
            org.plant(PlantedRule.LOGIN_UNKNOWN, "info", user, detail=value)
        # one readable field is enough, and other notations are valid timestamps too
        half = self.viewer(seen=5).user
        half["lastActivity"], half["lastLogin"] = org.moment(5), "n/a"
        for value in (
            f"{org.date(6)}T10:15:00.000+02:00",
            f"{org.date(7)}T10:15:00",
            f"{org.date(8)}",
        ):
            user = self.viewer(seen=8).user
            user.pop("lastActivity", None)
            user["lastLogin"] = value

    def invitations(self) -> None:
        """Invite people who have not accepted yet."""
        org = self.org
        for number in range(5 if org.is_full else 2):
            is_old = number % 2 == 0
            user = self.viewer(seen=1, created=40 if is_old else 6).user
            org.never_seen(user)
            user.update(active=False, groups=[], lastUpdated=user["created"])
            user["pendingExpiration"] = f"{org.date(-3)}T00:00:00.000Z"
            if is_old:
                org.plant(PlantedRule.STALE_INVITATION, "low", user, detail="invited 40 days ago")

    def leavers(self) -> None:
        """Make people leave; some of their accounts stay active."""
        org = self.org
        plain = [self.viewer(seen=45 + number) for number in self.times(2)]
        for hire in plain:
            self.left(hire, 40)
        self.left(self.viewer(seen=25), 20, status="active")
        without_date = self.viewer(seen=12)
        self.left(without_date, None)
        long_gone = self.viewer(seen=125)
        self.left(long_gone, 120)
        org.plant(PlantedRule.STALE_ACCOUNT, "medium", long_gone.user, detail="left 120 days ago")
        self.left(org.hire(self.engineer, seen=20), 15)
        came_back = self.viewer(seen=6)
        self.left(came_back, 30)
        org.plant(
            PlantedRule.LEAVER_LOGIN_AFTER_END, "critical", came_back.user, detail="seen 24 days after the last day"
        )

        switched_off = self.viewer(seen=50)
        switched_off.person.employment_status, switched_off.person.end_date = "ended", org.date(60)
        org.switch_off(switched_off.user, 45)
        switched_off.user["groups"] = []
        org.plant(
            PlantedRule.LEAVER_LOGIN_AFTER_END,
            "critical",
            switched_off.user,
            detail="disabled, seen after the last day",
        )
        # near misses: seen on the last day itself, on long leave, and leaving next week
        last_day = self.viewer(seen=35)
        last_day.person.employment_status, last_day.person.end_date = "ended", org.date(35)
        last_day.user["lastLogin"] = last_day.user["lastActivity"] = f"{org.date(35)}T23:10:00.000Z"
        org.switch_off(last_day.user, 34)
        last_day.user["groups"] = []
        self.viewer(seen=70).person.employment_status = "leave"
        self.viewer(seen=3).person.end_date = org.date(-12)

    def left(self, hire: Hire, days: int | None, *, status: str = "ended") -> None:
        """Make a person leave ``days`` ago, or without a date, and keep the account active."""
        hire.person.employment_status = status
        hire.person.end_date = "" if days is None else self.org.date(days)
        when = "no end date" if days is None else f"last day {hire.person.end_date}"
        self.org.plant(PlantedRule.LEAVER_ACTIVE, "critical", hire.user, detail=f"{status} in the roster, {when}")

    def contractors(self) -> None:
        """Hire contractors whose end date has passed, is missing, or is in the future."""
        org = self.org
        for number in self.times(2):
            hire = self.viewer(seen=30 + number)
            hire.person.person_type = "contractor"
            self.left(hire, 25, status="active")
            org.plant(PlantedRule.CONTRACT_EXPIRED, "high", hire.user, detail="the contract ended 25 days ago")
        for _ in self.times(2):
            hire = self.viewer()
            hire.person.person_type = "contractor"
            org.plant(PlantedRule.CONTRACT_EXPIRED, "low", hire.user, detail="a contract without an end")
        for _ in self.times(3):
            hire = self.viewer()
            hire.person.person_type, hire.person.end_date = "contractor", org.date(-30)

    def orphans(self) -> None:
        """Add accounts that match no person of the roster, or two."""
        org = self.org
        for _ in self.times(5):
            user = self.stranger(org.ordinary_name())
            org.plant(PlantedRule.ORPHANED_ACCOUNT, "high", user, detail="no matching person in the roster")
        # an equal display name is a suggestion, never a match
        model = self.viewer().user
        user = self.stranger(names.Name(model["firstName"], model["lastName"], "namesake"))
        org.plant(PlantedRule.ORPHANED_ACCOUNT, "high", user, detail="only the name is known")
        if org.is_full:
            user = self.stranger(names.Name("Team", "Lead", "team.lead"))
            for hire in (self.viewer(), self.viewer()):
                hire.person.aliases = user["email"].lower()
            org.plant(PlantedRule.ORPHANED_ACCOUNT, "high", user, detail="two people have this alias")
            known = self.viewer()
            known.person.aliases = f"alias.{known.person.email}"
            known.user["email"] = known.person.aliases
        org.switch_off(self.stranger(org.ordinary_name()), 200)

    def stranger(self, name: names.Name) -> User:
        """Add an account that matches no person: it uses single sign-on and is in no group."""
        org = self.org
        user = org.account(
            "consumer", f"x-{name.slug}{len(org.users)}@{DOMAIN}", (name.first, name.last), seen=11, created=300
        )
        user["createdSso"] = True
        return user

    def switched_off(self) -> None:
        """Deactivate accounts that keep their groups or role."""
        org = self.org
        for _ in self.times(3):
            user = self.viewer(seen=110).user
            org.switch_off(user, 60)
            org.plant(PlantedRule.INACTIVE_WITH_ACCESS, "low", user, detail="still in groups")
        user = org.hire(self.analyst, seen=110).user
        org.switch_off(user, 60)
        user["groups"] = []
        org.plant(PlantedRule.INACTIVE_WITH_ACCESS, "low", user, detail="still a Designer")
        user = org.hire(self.engineer, seen=110).user
        org.switch_off(user, 60)
        org.plant(PlantedRule.INACTIVE_WITH_ACCESS, "medium", user, detail="still a Data Admin")
        user = self.viewer(seen=100).user
        org.switch_off(user, 60)
        del user["lastUpdated"]
        org.plant(
            PlantedRule.INACTIVE_WITH_ACCESS,
            "low",
            user,
            detail="in groups; the time is counted from when it was last seen",
        )
        for _ in self.times(2):
            org.switch_off(self.viewer(seen=20).user, 12)
        emptied = self.viewer(seen=300).user
        org.switch_off(emptied, 200)
        emptied["groups"] = []
