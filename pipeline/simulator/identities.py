"""Plants conditions of identity: registered, external, duplicate, shared and incomplete accounts."""

from __future__ import annotations

from pipeline.simulator import names
from pipeline.simulator.answer_key import PlantedRule
from pipeline.simulator.planter import Planter
from pipeline.simulator.staffing import CALLER, DOMAIN, Hire, User

__all__ = ["Identities"]

_PARTNER = "partner.example.net"
_FREE_MAIL = "gmail.com"


class Identities(Planter):
    """Conditions of identity, each with its near misses."""

    def registered_accounts(self) -> None:
        """Add service accounts, break-glass accounts, and the account that the extract logs in with."""
        org = self.org
        owner = f"platform-owner@{DOMAIN}"
        caller = org.account("admin", CALLER, seen=1, created=700)
        # last seen in the first second of the anchor's day, so never after a run
        caller["lastLogin"] = f"{org.date(0)}T00:00:00.000Z"
        caller.pop("lastActivity", None)
        org.service_accounts.append((CALLER, owner, "reads accounts for the access review", org.date(-200)))
        for name, purpose, review_in in (("svc-embed", "embedded dashboards", 20), ("svc-monitor", "health", 90)):
            org.account("consumer", f"{name}@{DOMAIN}", seen=2, created=900)
            org.service_accounts.append((f"{name}@{DOMAIN}", owner, purpose, org.date(-review_in)))
        for number in self.times(2):
            email = f"bg-emergency{number + 1}@{DOMAIN}"
            org.account("super" if number == 0 else "admin", email, seen=30, created=1_500)
            org.break_glass.append((email, owner, "emergency access"))
        if not org.is_full:
            return
        for name, role, owner_email, purpose, review_by, severity, why in (
            ("svc-etl", "consumer", owner, "nightly load", org.date(60), "medium", "review overdue"),
            ("svc-archive", "consumer", "", "archive", org.date(-90), "medium", "no owner"),
            ("svc-models", "dataAdmin", owner, "", org.date(-90), "high", "no purpose, privileged"),
        ):
            user = org.account(role, f"{name}@{DOMAIN}", seen=3, created=800)
            org.service_accounts.append((f"{name}@{DOMAIN}", owner_email, purpose, review_by))
            org.plant(PlantedRule.UNREVIEWED_SERVICE_ACCOUNT, severity, user, detail=why)

    def external(self) -> None:
        """Hire people with external addresses."""
        org = self.org
        for _ in self.times(3):
            org.plant(
                PlantedRule.EXTERNAL_DOMAIN, "medium", self.outsider(self.viewer(domain=_PARTNER)), detail="a partner"
            )
        for _ in self.times(2):
            user = self.outsider(org.hire(self.analyst, domain=_PARTNER))
            org.plant(PlantedRule.EXTERNAL_DOMAIN, "high", user, detail="a partner who designs dashboards")
        user = self.outsider(org.hire(self.engineer, domain=_PARTNER))
        org.plant(PlantedRule.EXTERNAL_DOMAIN, "high", user, detail="a partner with privileges")
        name = names.Name("Synthetic", "Consultant", "synthetic-consultant-1f7e")
        user = self.outsider(org.hire(self.engineer, domain=_FREE_MAIL, name=name))
        org.plant(PlantedRule.EXTERNAL_DOMAIN, "critical", user, detail="privileged, on free mail")
        gone = self.outsider(self.viewer(seen=200, domain=_PARTNER))
        org.switch_off(gone, 150)
        gone["groups"] = []

    def outsider(self, hire: Hire) -> User:
        """Turn a person into a contractor."""
        hire.person.person_type, hire.person.end_date = "contractor", self.org.date(-90)
        return hire.user

    def odd_forms(self) -> None:
        """Omit fields, or leave them empty."""
        stateless = self.viewer().user
        del stateless["active"]
        for form in ("absent", "null"):
            user = self.viewer().user
            if form == "null":
                user["groups"] = None
            else:
                del user["groups"]

    def two_accounts(self) -> None:
        """Give some people a second account."""
        org = self.org
        for address in ("upper", "tag"):
            first = org.hire(next(self._ordinary))
            second = self.second_account(first, "consumer", address)
            for user in (first.user, second):
                org.plant(
                    PlantedRule.DUPLICATE_ACCOUNTS, "medium", user, subject=first.person.person_id, detail=address
                )
        title = org.titles["BI Administrator"]
        # near miss: an ordinary account and a separate account for administration
        for role in ("consumer", "dataAdmin"):
            first = org.hire(title)
            first.user["roleId"] = org.role_ids[role]
            first.user["groups"] = [title.department.group_id]
            second = self.second_account(first, "admin", "alias")
            for user in (first.user, second) if role == "dataAdmin" else ():
                for rule_id in (PlantedRule.DUPLICATE_ACCOUNTS, PlantedRule.SEVERAL_ACCOUNTS_ONE_PERSON):
                    org.plant(rule_id, "medium", user, subject=first.person.person_id, detail="two privileged")

    def second_account(self, first: Hire, role: str, address: str) -> User:
        """Add a second account of a person; ``address`` says how its e-mail differs from the first."""
        user, person = first
        local, _, domain = person.email.partition("@")
        email = {
            "upper": person.email.upper(),
            "tag": f"{local}+bi@{domain}",
            "alias": f"adm-{local}@{domain}",
        }[address]
        second = self.org.account(role, email, (user["firstName"], user["lastName"]), seen=4, created=500)
        second.update(email=email, userName=f"second-{local}", createdSso=True)
        if address == "alias":
            person.aliases = email
        if address == "tag":
            self.org.plant(PlantedRule.ROSTER_DRIFT, "low", second, detail="a tag in the address")
        return second

    def separation_of_duties(self) -> None:
        """Give one person both sides of a conflicting pair, in one account and across two."""
        org = self.org
        payments, approvals = (org.group_ids[f"Finance {name}"] for name in ("Payments", "Approvals"))
        accountant = org.titles["Accountant"]
        alone = org.hire(accountant)
        own = [group for group in alone.user["groups"] if group not in {payments, approvals}]
        alone.user["groups"] = [*own, payments, approvals]
        org.plant(
            PlantedRule.SOD_CONFLICT,
            "high",
            None,
            subject=alone.person.person_id,
            detail="both groups in one account",
        )

        pair = org.hire(accountant)
        pair.user["groups"] = [*own, payments]
        second = self.second_account(pair, "consumer", "upper")
        second["groups"] = [accountant.department.group_id, approvals]
        org.plant(
            PlantedRule.SOD_CONFLICT, "high", None, subject=pair.person.person_id, detail="one group in each account"
        )
        for user in (pair.user, second):
            org.plant(PlantedRule.DUPLICATE_ACCOUNTS, "medium", user, subject=pair.person.person_id, detail="upper")

    def shared_mailboxes(self) -> None:
        """Add accounts that several people use."""
        org = self.org
        for local, role, severity in (
            ("info", "consumer", "medium"),
            ("reporting", "consumer", "medium"),
            ("wall-display-3", "dataAdmin", "high"),
        ):
            user = org.account(role, f"{local}@{DOMAIN}", seen=6, created=1_000)
            org.plant(PlantedRule.SHARED_ACCOUNT, severity, user, detail="shared by a team")
            org.plant(PlantedRule.LOCAL_ACCOUNT_BESIDE_SSO, severity, user, detail="a password")
            org.plant(PlantedRule.ORPHANED_ACCOUNT, "high", user, detail="no matching person in the roster")

    def imperfect_identities(self) -> None:
        """Omit addresses, and make names and addresses differ from the roster."""
        org = self.org
        for value in (None, ""):
            hire = self.viewer()
            hire.user["email"] = value
            # the local part of the person's own address still matches
            hire.user["userName"] = hire.person.email.partition("@")[0]
            org.plant(PlantedRule.MISSING_EMAIL, "low", hire.user, detail=f"email is {value!r}")
        married = self.viewer()
        married.user["lastName"] = f"{married.user['lastName']}-Beispiel"
        org.plant(PlantedRule.ROSTER_DRIFT, "low", married.user, detail="another last name")
        moved = self.viewer()
        moved.user["userName"] = moved.person.email
        moved.user["email"] = f"former-{moved.person.email}"
        org.plant(PlantedRule.ROSTER_DRIFT, "low", moved.user, detail="another address, matched by user name")
