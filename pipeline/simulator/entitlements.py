"""Plants conditions of entitlements: roles, groups, privilege, and access that peers do not have."""

from __future__ import annotations

from pipeline.simulator.answer_key import PlantedRule
from pipeline.simulator.planter import Planter
from pipeline.simulator.staffing import User

__all__ = ["Entitlements"]


class Entitlements(Planter):
    """Conditions of roles and groups, each with its near misses."""

    def administrators(self) -> None:
        """Hire holders of privileged titles, and Data Designers whose role was edited."""
        org = self.org
        administrators, engineers, report_engineers = (6, 8, 6) if org.is_full else (5, 2, 2)
        if org.size < 100:
            administrators, engineers, report_engineers = 3, 1, 1
        for _ in range(administrators):
            org.hire(org.titles["BI Administrator"])
        for _ in range(engineers):
            org.hire(self.engineer)
        for _ in range(report_engineers):
            org.hire(org.titles["Report Engineer"])
        edited = org.role_ids["dataDesigner"]
        org.plant(
            PlantedRule.EDITED_BUILTIN_ROLE,
            "high",
            None,
            subject=edited,
            detail="Data Designer may edit users' roles",
        )
        if org.is_full:
            tenant = org.hire(org.titles["BI Administrator"]).user
            tenant["roleId"] = org.role_ids["tenantAdmin"]

    def unclassified(self) -> None:
        """Assign roles that are missing, that do not exist, or that have no rank."""
        org = self.org
        roleless = self.viewer(seen=5).user
        del roleless["roleId"]
        org.plant(PlantedRule.UNCLASSIFIED_ROLE, "medium", roleless, detail="no role")
        lost = self.viewer(seen=6).user
        lost["roleId"] = self.unknown_id()
        org.plant(PlantedRule.UNCLASSIFIED_ROLE, "medium", lost, subject=None, detail="a role that does not exist")
        org.plant(
            PlantedRule.DANGLING_REFERENCE,
            "medium",
            lost,
            subject=lost["roleId"],
            detail="a role that does not exist",
        )
        for role in ("custom_partnerAccess", "custom_retiredDesigner"):
            user = self.viewer(seen=7).user
            user["roleId"] = org.role_ids[role]
            org.plant(PlantedRule.UNCLASSIFIED_ROLE, "medium", user, detail=f"nothing ranks {role}")
        idle = self.viewer(seen=60).user
        idle["roleId"] = org.role_ids["custom_partnerAccess"]
        org.plant(PlantedRule.UNCLASSIFIED_ROLE, "medium", idle, detail="nothing ranks custom_partnerAccess")
        # a role without a rank counts as privileged until it gets one
        org.plant(PlantedRule.STALE_PRIVILEGED_ACCOUNT, "high", idle, detail="unclassified counts as privileged")
        switched_off = self.viewer(seen=20).user
        org.switch_off(switched_off, 10)
        switched_off["roleId"] = None
        org.plant(PlantedRule.UNCLASSIFIED_ROLE, "medium", switched_off, detail="disabled, no role")
        self.viewer(seen=50).user["roleId"] = org.role_ids["custom_auditReader"]

    def dangling_groups(self) -> None:
        """Name groups that do not exist."""
        org = self.org
        twice, once = self.viewer().user, self.viewer().user
        for user, number in ((twice, 2), (once, 1)):
            lost = [self.unknown_id() for _ in range(number)]
            user["groups"] = [*user["groups"], *lost]
            for group_id in lost:
                org.plant(
                    PlantedRule.DANGLING_REFERENCE,
                    "medium",
                    user,
                    subject=group_id,
                    detail="a group that does not exist",
                )

    def power_through_groups(self) -> None:
        """Add viewers to groups that carry a privileged role."""
        org = self.org
        emergency = org.add_group("Emergency Access")
        for group_id, why in (
            (self.engineer.group_id, "the group carries Data Admin"),
            (self.engineer.group_id, "the group carries Data Admin"),
            (emergency, "the group is listed as privileged"),
        ):
            user = self.join(self.viewer().user, group_id)
            org.plant(PlantedRule.PRIVILEGED_THROUGH_GROUP, "medium", user, subject=group_id, detail=why)
            org.plant(PlantedRule.RARE_GROUP_MEMBERSHIP, "low", user, subject=group_id, detail=why)
        self.join(org.hire(self.engineer).user, self.engineer.group_id)

    def join(self, user: User, group_id: str) -> User:
        """Add an account to a group."""
        user["groups"] = list(dict.fromkeys([*user["groups"], group_id]))
        return user

    def local_accounts(self) -> None:
        """Keep local passwords of people who use single sign-on."""
        org = self.org
        for hire, severity in (
            (self.viewer(), "medium"),
            (self.viewer(), "medium"),
            (org.hire(self.engineer), "high"),
        ):
            for key in ("principalName", "objectSid", "dn"):
                hire.user.pop(key, None)
            hire.user.update(activeDirectory=False, createdSso=False)
            org.plant(PlantedRule.LOCAL_ACCOUNT_BESIDE_SSO, severity, hire.user, detail="a password")

    def disagreements(self) -> None:
        """Make account and group disagree about a membership."""
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
            org.plant(PlantedRule.MEMBERSHIP_DISAGREEMENT, "low", user, subject=group_id, detail=why)

    def empty_groups(self) -> None:
        """Add groups without members."""
        self.org.add_group("Retired Reports")
        self.org.add_group("Tenant Operators", "admin")

    def too_many_groups(self) -> None:
        """Give some accounts the groups of other departments too."""
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
                org.plant(
                    PlantedRule.RARE_GROUP_MEMBERSHIP,
                    "low",
                    user,
                    subject=group_id,
                    detail="another department's group",
                )
            org.plant(PlantedRule.EXCESSIVE_GROUPS, "low", user, detail="eight groups beyond the department's")

    def unlike_their_peers(self) -> None:
        """Assign roles and groups that the peers do not have."""
        org = self.org
        executive = org.titles["Account Executive"]
        for role, severity in (("contributor", "medium"), ("contributor", "medium"), ("dataAdmin", "high")):
            user = org.hire(executive, seen=10).user
            user["roleId"] = org.role_ids[role]
            org.plant(
                PlantedRule.OVER_PRIVILEGED_VS_PEERS,
                severity,
                user,
                detail=f"{role} among viewers",
            )
        for group in ("Legal Contracts", "Legal Privacy", "People Hiring"):
            user = self.join(org.hire(org.titles["Software Engineer"]).user, org.group_ids[group])
            org.plant(PlantedRule.RARE_GROUP_MEMBERSHIP, "low", user, subject=org.group_ids[group], detail=group)
