"""Plants the conditions that the rules must find, their near misses, and the odd forms that real data has.

Every function plants one condition and writes down each finding that follows from it, those of other rules as well:
somebody who left long ago may also be stale. What is not written down must stay silent at the default parameters.
Ages keep three days from every threshold, so a run within a day of the anchor gives the same numbers.

Readings of the rules that the key rests on, where their words leave room:

- ``roster_drift`` compares names and addresses case-folded; an alias is the person's own address, a ``+tag`` is not,
  and an account without an address has none that could differ.
- ``edited_builtin_role`` is one finding an account that holds the role.
- ``membership_disagreement`` and ``rare_group_membership`` judge groups that exist; a dangling id is
  ``dangling_reference`` alone.
- The rules about peers are stated for accounts matched to a person, in organisations of 500 accounts and more.
  Accounts without a person are compared with everybody, and the key says nothing about them.
- ``empty_group`` and ``too_many_admins`` are counted when the organisation is complete; see ``population``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from pipeline.simulator import names
from pipeline.simulator.organisation import Title
from pipeline.simulator.staffing import CALLER, DOMAIN, Hire, Staffing, User

__all__ = ["plant"]

_PARTNER = "partner.example.net"
_FREE_MAIL = "gmail.com"
_UNKNOWN_ID = "dead0000dead0000dead{:04x}"


def plant(org: Staffing) -> None:
    """Plant everything that an organisation of this size has room for."""
    _Planter(org).all()


class _Planter:
    def __init__(self, org: Staffing) -> None:
        self.org = org
        ordinary = (
            "Account Executive",
            "Software Engineer",
            "Operations Specialist",
            "Success Manager",
            "Accountant",
        )
        self._ordinary: Iterator[Title] = cycle(org.titles[name] for name in ordinary)
        self.engineer = org.titles["Data Platform Engineer"]
        self.analyst = org.titles["Marketing Analyst"]
        self.dangling = 0

    def all(self) -> None:
        self.registered_accounts()
        self.administrators()
        self.stale()
        self.never_seen()
        self.odd_times()
        self.invitations()
        self.leavers()
        self.contractors()
        self.orphans()
        self.switched_off()
        self.unclassified()
        self.dangling_groups()
        self.external()
        if self.org.is_full:
            self.odd_forms()
            self.two_accounts()
            self.separation_of_duties()
            self.power_through_groups()
            self.local_accounts()
            self.disagreements()
            self.empty_groups()
            self.too_many_groups()
            self.unlike_their_peers()
            self.shared_mailboxes()
            self.imperfect_identities()

    def times(self, full: int) -> range:
        """How often to plant something: so often in a full organisation, once in a small one."""
        return range(full if self.org.is_full else 1)

    def viewer(self, *, seen: int | None = None, created: int | None = None, domain: str = DOMAIN) -> Hire:
        return self.org.hire(next(self._ordinary), seen=seen, created=created, domain=domain)

    def unknown_id(self) -> str:
        self.dangling += 1
        return _UNKNOWN_ID.format(self.dangling)

    # registered accounts and the privileged titles -----------------------------------------------------------

    def registered_accounts(self) -> None:
        org = self.org
        owner = f"platform-owner@{DOMAIN}"
        caller = org.account("admin", None, None, CALLER, seen=1, created=700)
        # seen at the first second of the anchor's day: never in the future of a run
        caller["lastLogin"] = f"{org.date(0)}T00:00:00.000Z"
        caller.pop("lastActivity", None)
        org.service_accounts.append((CALLER, owner, "reads accounts for the access review", org.date(-200)))
        for name, purpose, review_in in (("svc-embed", "embedded dashboards", 20), ("svc-monitor", "health", 90)):
            org.account("consumer", None, None, f"{name}@{DOMAIN}", seen=2, created=900)
            org.service_accounts.append((f"{name}@{DOMAIN}", owner, purpose, org.date(-review_in)))
        for number in self.times(2):
            email = f"bg-emergency{number + 1}@{DOMAIN}"
            org.account("super" if number == 0 else "admin", None, None, email, seen=30, created=1_500)
            org.break_glass.append((email, owner, "emergency access"))
        if not org.is_full:
            return
        for name, role, owner_email, purpose, review_by, severity, why in (
            ("svc-etl", "consumer", owner, "nightly load", org.date(60), "medium", "review overdue"),
            ("svc-archive", "consumer", "", "archive", org.date(-90), "medium", "no owner"),
            ("svc-models", "dataAdmin", owner, "", org.date(-90), "high", "no purpose, privileged"),
        ):
            user = org.account(role, None, None, f"{name}@{DOMAIN}", seen=3, created=800)
            org.service_accounts.append((f"{name}@{DOMAIN}", owner_email, purpose, review_by))
            org.plant("unreviewed_service_account", severity, user, detail=why)

    def administrators(self) -> None:
        org = self.org
        for _ in range(6 if org.is_full else 5):
            org.hire(org.titles["BI Administrator"])
        for _ in range(8 if org.is_full else 2):
            org.hire(self.engineer)
        for _ in range(6 if org.is_full else 2):
            user = org.hire(org.titles["Report Engineer"]).user
            org.plant("edited_builtin_role", "high", user, detail="Data Designer may edit the roles of users")
        if org.is_full:
            tenant = org.hire(org.titles["BI Administrator"]).user
            tenant["roleId"] = org.role_ids["tenantAdmin"]

    # use -----------------------------------------------------------------------------------------------------

    def stale(self) -> None:
        org = self.org
        for number in self.times(8):
            user = self.viewer(seen=100 + 9 * number).user
            status = "open"
            if number == 1:
                org.exceptions.append(
                    ("stale_account", "", user["userName"], "parental leave", "ciso@example.com", org.date(-60))
                )
                status = "accepted_risk"
            if number == 2:
                org.out_of_scope.append(("", user["userName"], "training instance", "ciso@example.com"))
                status = "out_of_scope"
            org.plant("stale_account", "medium", user, status=status, detail="not seen for over 90 days")
        for number in self.times(5):
            user = self.viewer(seen=190 + 80 * number).user
            org.plant("stale_account", "high", user, detail="not seen for over 180 days")
        for _ in self.times(4):
            self.viewer(seen=85)
        if org.is_full:
            opens_dashboards = self.viewer(seen=200).user
            opens_dashboards["lastLogin"] = org.moment(200)
            opens_dashboards["lastActivity"] = org.moment(9)

        for number in self.times(3):
            user = org.hire(self.engineer, seen=60 + 9 * number).user
            org.plant("stale_privileged_account", "high", user, detail="not seen for over 45 days")
        for number in self.times(2):
            user = org.hire(self.engineer, seen=120 + 90 * number).user
            org.plant("stale_privileged_account", "critical", user, detail="not seen for over 90 days")
        for _ in self.times(2):
            org.hire(self.engineer, seen=41)
        # privileged by what its role may do, not by its name
        user = org.hire(self.analyst, seen=70).user
        user["roleId"] = org.role_ids["custom_userDesk"]
        org.plant("stale_privileged_account", "high", user, detail="a custom role that manages users")
        if org.is_full:
            org.hire(self.analyst, seen=20).user["roleId"] = org.role_ids["custom_userDesk"]

    def never_seen(self) -> None:
        org = self.org
        for value in (..., None, ""):
            user = self.viewer(seen=5, created=60).user
            org.never_seen(user, value=value)
            org.plant(
                "never_logged_in", "medium", user, detail=f"lastLogin is {'absent' if value is ... else value!r}"
            )
        undated = self.viewer(seen=5, created=400).user
        org.never_seen(undated)
        del undated["created"]
        org.plant("never_logged_in", "medium", undated, detail="no creation date")
        for _ in self.times(2):
            user = org.hire(self.engineer, seen=5, created=21).user
            org.never_seen(user)
            org.plant("never_logged_in", "high", user, detail="privileged, past 14 days")
        org.never_seen(self.viewer(seen=5, created=25).user)
        org.never_seen(org.hire(self.engineer, seen=5, created=9).user)

    def odd_times(self) -> None:
        org = self.org
        for value in ("not a date", "infinity", f"{org.date(-400)}T08:00:00.000Z", "0001-01-01T00:00:00.000Z"):
            user = self.viewer(seen=5).user
            org.unreadable(user, value)
            org.plant("login_unknown", "info", user, detail=value)
        # readable in one field is enough, and other ways to write a moment are still moments
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
        org = self.org
        for number in range(5 if org.is_full else 2):
            is_old = number % 2 == 0
            user = self.viewer(seen=1, created=40 if is_old else 6).user
            org.never_seen(user)
            user.update(active=False, groups=[], lastUpdated=user["created"])
            user["pendingExpiration"] = f"{org.date(-3)}T00:00:00.000Z"
            if is_old:
                org.plant("stale_invitation", "low", user, detail="invited 40 days ago")

    # people --------------------------------------------------------------------------------------------------

    def leavers(self) -> None:
        org = self.org
        plain = [self.viewer(seen=45 + number) for number in self.times(2)]
        for hire in plain:
            self.left(hire, 40)
        self.left(self.viewer(seen=25), 20, status="active")
        without_date = self.viewer(seen=12)
        self.left(without_date, None)
        long_gone = self.viewer(seen=125)
        self.left(long_gone, 120)
        org.plant("stale_account", "medium", long_gone.user, detail="left 120 days ago")
        self.left(org.hire(self.engineer, seen=20), 15)
        came_back = self.viewer(seen=6)
        self.left(came_back, 30)
        org.plant("leaver_login_after_end", "critical", came_back.user, detail="seen 24 days after the last day")

        switched_off = self.viewer(seen=50)
        switched_off.person.employment_status, switched_off.person.end_date = "ended", org.date(60)
        org.switch_off(switched_off.user, 45)
        switched_off.user["groups"] = []
        org.plant("leaver_login_after_end", "critical", switched_off.user, detail="disabled, seen after the last day")
        # near misses: seen on the last day itself, on long leave, and still here until next week
        last_day = self.viewer(seen=35)
        last_day.person.employment_status, last_day.person.end_date = "ended", org.date(35)
        last_day.user["lastLogin"] = last_day.user["lastActivity"] = f"{org.date(35)}T23:10:00.000Z"
        org.switch_off(last_day.user, 34)
        last_day.user["groups"] = []
        self.viewer(seen=70).person.employment_status = "leave"
        self.viewer(seen=3).person.end_date = org.date(-12)

    def left(self, hire: Hire, days: int | None, *, status: str = "ended") -> None:
        hire.person.employment_status = status
        hire.person.end_date = "" if days is None else self.org.date(days)
        when = "no end date" if days is None else f"last day {hire.person.end_date}"
        self.org.plant("leaver_active", "critical", hire.user, detail=f"{status} in the roster, {when}")

    def contractors(self) -> None:
        org = self.org
        for number in self.times(2):
            hire = self.viewer(seen=30 + number)
            hire.person.person_type = "contractor"
            self.left(hire, 25, status="active")
            org.plant("contract_expired", "high", hire.user, detail="the contract ended 25 days ago")
        for _ in self.times(2):
            hire = self.viewer()
            hire.person.person_type = "contractor"
            org.plant("contract_expired", "low", hire.user, detail="a contract without an end")
        for _ in self.times(3):
            hire = self.viewer()
            hire.person.person_type, hire.person.end_date = "contractor", org.date(-30)

    def orphans(self) -> None:
        org = self.org
        for _ in self.times(5):
            user = self.stranger(org.ordinary_name())
            org.plant("orphaned_account", "high", user, detail="nobody in the roster")
        # the same display name is a suggestion, never a match
        model = self.viewer().user
        user = self.stranger(names.Name(model["firstName"], model["lastName"], "namesake"))
        org.plant("orphaned_account", "high", user, detail="only the name is known")
        if org.is_full:
            user = self.stranger(names.Name("Team", "Lead", "team.lead"))
            for hire in (self.viewer(), self.viewer()):
                hire.person.aliases = user["email"].lower()
            org.plant("orphaned_account", "high", user, detail="two people have this alias")
            known = self.viewer()
            known.person.aliases = f"alias.{known.person.email}"
            known.user["email"] = known.person.aliases
        org.switch_off(self.stranger(org.ordinary_name()), 200)

    def stranger(self, name: names.Name) -> User:
        """Add an account that no person has: by single sign-on, in no group."""
        org = self.org
        user = org.account(
            "consumer", name.first, name.last, f"x-{name.slug}{len(org.users)}@{DOMAIN}", seen=11, created=300
        )
        user["createdSso"] = True
        return user

    # what an account holds -------------------------------------------------------------------------------------

    def switched_off(self) -> None:
        org = self.org
        for _ in self.times(3):
            user = self.viewer(seen=110).user
            org.switch_off(user, 60)
            org.plant("inactive_with_access", "low", user, detail="still in groups")
        user = org.hire(self.analyst, seen=110).user
        org.switch_off(user, 60)
        user["groups"] = []
        org.plant("inactive_with_access", "low", user, detail="still a Designer")
        user = org.hire(self.engineer, seen=110).user
        org.switch_off(user, 60)
        org.plant("inactive_with_access", "medium", user, detail="still a Data Admin")
        user = self.viewer(seen=100).user
        org.switch_off(user, 60)
        del user["lastUpdated"]
        org.plant("inactive_with_access", "low", user, detail="in groups, judged by when it was last seen")
        for _ in self.times(2):
            org.switch_off(self.viewer(seen=20).user, 12)
        emptied = self.viewer(seen=300).user
        org.switch_off(emptied, 200)
        emptied["groups"] = []

    def unclassified(self) -> None:
        org = self.org
        roleless = self.viewer(seen=5).user
        del roleless["roleId"]
        org.plant("unclassified_role", "medium", roleless, detail="no role")
        lost = self.viewer(seen=6).user
        lost["roleId"] = self.unknown_id()
        org.plant("unclassified_role", "medium", lost, subject=None, detail="a role that does not exist")
        org.plant("dangling_reference", "medium", lost, subject=lost["roleId"], detail="a role that does not exist")
        for role in ("custom_partnerAccess", "custom_retiredDesigner"):
            user = self.viewer(seen=7).user
            user["roleId"] = org.role_ids[role]
            org.plant("unclassified_role", "medium", user, detail=f"nothing ranks {role}")
        idle = self.viewer(seen=60).user
        idle["roleId"] = org.role_ids["custom_partnerAccess"]
        org.plant("unclassified_role", "medium", idle, detail="nothing ranks custom_partnerAccess")
        # what nobody has ranked is treated as privileged until somebody does
        org.plant("stale_privileged_account", "high", idle, detail="unclassified counts as privileged")
        switched_off = self.viewer(seen=20).user
        org.switch_off(switched_off, 10)
        switched_off["roleId"] = None
        org.plant("unclassified_role", "medium", switched_off, detail="disabled, no role")
        self.viewer(seen=50).user["roleId"] = org.role_ids["custom_auditReader"]

    def dangling_groups(self) -> None:
        org = self.org
        twice, once = self.viewer().user, self.viewer().user
        for user, number in ((twice, 2), (once, 1)):
            lost = [self.unknown_id() for _ in range(number)]
            user["groups"] = [*user["groups"], *lost]
            for group_id in lost:
                org.plant(
                    "dangling_reference", "medium", user, subject=group_id, detail="a group that does not exist"
                )

    def external(self) -> None:
        org = self.org
        for _ in self.times(3):
            org.plant("external_domain", "medium", self.outsider(self.viewer(domain=_PARTNER)), detail="a partner")
        for _ in self.times(2):
            user = self.outsider(org.hire(self.analyst, domain=_PARTNER))
            org.plant("external_domain", "high", user, detail="a partner who designs dashboards")
        user = self.outsider(org.hire(self.engineer, domain=_PARTNER))
        org.plant("external_domain", "high", user, detail="a partner with privileges")
        name = names.Name("Synthetic", "Consultant", "synthetic-consultant-1f7e")
        user = self.outsider(org.hire(self.engineer, domain=_FREE_MAIL, name=name))
        org.plant("external_domain", "critical", user, detail="privileged, on free mail")
        gone = self.outsider(self.viewer(seen=200, domain=_PARTNER))
        org.switch_off(gone, 150)
        gone["groups"] = []

    def outsider(self, hire: Hire) -> User:
        hire.person.person_type, hire.person.end_date = "contractor", self.org.date(-90)
        return hire.user

    # only in full organisations --------------------------------------------------------------------------------

    def odd_forms(self) -> None:
        stateless = self.viewer().user
        del stateless["active"]
        for form in ("absent", "null"):
            user = self.viewer().user
            if form == "null":
                user["groups"] = None
            else:
                del user["groups"]

    def two_accounts(self) -> None:
        org = self.org
        for role, address in (("consumer", "upper"), ("consumer", "tag"), ("admin", "alias"), ("admin", "alias")):
            title = org.titles["BI Administrator"] if role == "admin" else next(self._ordinary)
            first = org.hire(title)
            if role == "admin":
                first.user["roleId"] = org.role_ids["consumer"]
                first.user["groups"] = [title.department.group_id]
            second = self.second_account(first, role, address)
            for user in (first.user, second):
                org.plant("duplicate_accounts", "medium", user, subject=first.person.person_id, detail=address)
                if role == "admin":
                    org.plant(
                        "several_accounts_one_person",
                        "medium",
                        user,
                        subject=first.person.person_id,
                        detail="one of them privileged",
                    )

    def second_account(self, first: Hire, role: str, address: str) -> User:
        user, person = first
        local, _, domain = person.email.partition("@")
        email = {
            "upper": person.email.upper(),
            "tag": f"{local}+bi@{domain}",
            "alias": f"adm-{local}@{domain}",
        }[address]
        second = self.org.account(role, user["firstName"], user["lastName"], email, seen=4, created=500)
        second.update(email=email, userName=f"second-{local}", createdSso=True)
        if address == "alias":
            person.aliases = email
        if address == "tag":
            self.org.plant("roster_drift", "low", second, detail="a tag in the address")
        return second

    def separation_of_duties(self) -> None:
        org = self.org
        payments, approvals = (org.group_ids[f"Finance {name}"] for name in ("Payments", "Approvals"))
        accountant = org.titles["Accountant"]
        alone = org.hire(accountant)
        own = [group for group in alone.user["groups"] if group not in {payments, approvals}]
        alone.user["groups"] = [*own, payments, approvals]
        org.plant("sod_conflict", "high", None, subject=alone.person.person_id, detail="both groups in one account")

        pair = org.hire(accountant)
        pair.user["groups"] = [*own, payments]
        second = self.second_account(pair, "consumer", "upper")
        second["groups"] = [accountant.department.group_id, approvals]
        org.plant("sod_conflict", "high", None, subject=pair.person.person_id, detail="one group in each account")
        for user in (pair.user, second):
            org.plant("duplicate_accounts", "medium", user, subject=pair.person.person_id, detail="upper")

    def power_through_groups(self) -> None:
        org = self.org
        emergency = org.add_group("Emergency Access")
        for group_id, why in (
            (self.engineer.group_id, "the group carries Data Admin"),
            (self.engineer.group_id, "the group carries Data Admin"),
            (emergency, "the group is listed as privileged"),
        ):
            user = self.join(self.viewer().user, group_id)
            org.plant("privileged_through_group", "medium", user, subject=group_id, detail=why)
            org.plant("rare_group_membership", "low", user, subject=group_id, detail=why)
        self.join(org.hire(self.engineer).user, self.engineer.group_id)

    def join(self, user: User, group_id: str) -> User:
        user["groups"] = list(dict.fromkeys([*user["groups"], group_id]))
        return user

    def local_accounts(self) -> None:
        org = self.org
        for hire, severity in (
            (self.viewer(), "medium"),
            (self.viewer(), "medium"),
            (org.hire(self.engineer), "high"),
        ):
            for key in ("principalName", "objectSid", "dn"):
                hire.user.pop(key, None)
            hire.user.update(activeDirectory=False, createdSso=False)
            org.plant("local_account_beside_sso", severity, hire.user, detail="a password")

    def disagreements(self) -> None:
        org = self.org
        for number in range(4):
            user = self.viewer().user
            group_id = user["groups"][1]
            if number % 2 == 0:
                org.unlisted.add((group_id, user["_id"]))
                why = "only the account says so"
            else:
                user["groups"] = [g for g in user["groups"] if g != group_id]
                org.listed_only.append((group_id, user["_id"]))
                why = "only the group says so"
            org.plant("membership_disagreement", "low", user, subject=group_id, detail=why)

    def empty_groups(self) -> None:
        self.org.add_group("Retired Reports")
        self.org.add_group("Tenant Operators", "admin")

    def too_many_groups(self) -> None:
        org = self.org
        collected = [
            org.group_ids[name]
            for name in (
                "Marketing Campaigns",
                "Marketing Web Traffic",
                "People Hiring",
                "People Learning",
                "Legal Contracts",
                "Legal Privacy",
                "Product Roadmap",
                "Product Usage",
            )
        ]
        for _ in range(2):
            user = self.viewer().user
            for group_id in collected:
                self.join(user, group_id)
                org.plant("rare_group_membership", "low", user, subject=group_id, detail="another department's group")
            org.plant("excessive_groups", "low", user, detail="eight groups beyond the department's")

    def unlike_their_peers(self) -> None:
        org = self.org
        executive = org.titles["Account Executive"]
        for role, severity in (("contributor", "medium"), ("contributor", "medium"), ("dataAdmin", "high")):
            user = org.hire(executive, seen=10).user
            user["roleId"] = org.role_ids[role]
            org.plant(
                "over_privileged_vs_peers",
                severity,
                user,
                detail=f"{role} among viewers",
            )
        for group in ("Legal Contracts", "Legal Privacy", "People Hiring"):
            user = self.join(org.hire(org.titles["Software Engineer"]).user, org.group_ids[group])
            org.plant("rare_group_membership", "low", user, subject=org.group_ids[group], detail=group)

    def shared_mailboxes(self) -> None:
        org = self.org
        for local, role, severity in (
            ("info", "consumer", "medium"),
            ("reporting", "consumer", "medium"),
            ("wall-display-3", "dataAdmin", "high"),
        ):
            user = org.account(role, None, None, f"{local}@{DOMAIN}", seen=6, created=1_000)
            org.plant("shared_account", severity, user, detail="nobody's own")
            org.plant("local_account_beside_sso", severity, user, detail="a password")
            org.plant("orphaned_account", "high", user, detail="nobody in the roster")

    def imperfect_identities(self) -> None:
        org = self.org
        for value in (None, ""):
            hire = self.viewer()
            hire.user["email"] = value
            # the local part of the person's own address still matches
            hire.user["userName"] = hire.person.email.partition("@")[0]
            org.plant("missing_email", "low", hire.user, detail=f"email is {value!r}")
        married = self.viewer()
        married.user["lastName"] = f"{married.user['lastName']}-Beispiel"
        org.plant("roster_drift", "low", married.user, detail="another last name")
        moved = self.viewer()
        moved.user["userName"] = moved.person.email
        moved.user["email"] = f"former-{moved.person.email}"
        org.plant("roster_drift", "low", moved.user, detail="another address, matched by user name")
