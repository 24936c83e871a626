"""Guards of accounts that must keep their access, checked against the instance as it is now.

Planning has guards too, over the extract, but an account may have become the last administrator since. Roles are
ranked by the same models and policy as in a build.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import resources
from pipeline.sources.accounts import AccountState, Writer
from pipeline.warehouse.policy import PolicyFiles
from pipeline.warehouse.ranks import role_ranks

__all__ = ["Guards", "Refusal", "shown_names"]

#: The role of the administrator created at installation. It keeps the highest rank whatever a policy says.
_INSTALLED_ROLE = "super"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an account must not be changed, as a clause about it, and what to do instead."""

    reason: str
    hint: str


class Guards:
    """The guards of one instance, for its roles as they were read at the start.

    Raises:
        ConfigurationError: the policy that ranks the roles is wrong.
    """

    def __init__(self, writer: Writer, roles: Sequence[Mapping[str, Any]], policy: PolicyFiles) -> None:
        self._writer = writer
        ranks = role_ranks(roles, policy)
        self._rank = {role_id: rank or 0 for role_id, rank in ranks.roles.items()}
        self._administrator, self._installed = ranks.levels["admin"], ranks.levels["super"]
        shown = shown_names()
        names = {_INSTALLED_ROLE, shown[_INSTALLED_ROLE].lower()}
        for role in roles:
            if {str(role.get(key) or "").lower() for key in ("name", "displayName", "baseRoleName")} & names:
                self._rank[str(role.get("_id"))] = self._installed

    async def refuse(self, account: AccountState, *, removes_privilege: bool) -> Refusal | None:
        """Return why an account must not be changed, or None if the change is allowed.

        ``removes_privilege``: the change lowers the role, or deactivates or deletes the account.

        Raises:
            SourceError: the other administrators cannot be read.
        """
        own = self._writer.principal
        if own.account_id is None and own.user_name is None:
            return Refusal(
                "it may be the account this program logs in with, which is unknown",
                "set 'username' in the configuration and log in with its password instead of a token",
            )
        name = (account.user_name or "").lower()
        if account.account_id == own.account_id or (name and name == (own.user_name or "").lower()):
            return Refusal("it is the account this program logs in with", "let another administrator change it")
        rank = self._rank.get(account.role_id or "", 0)
        if rank >= self._installed:
            return Refusal("it is the administrator made at install", "Sisense needs that account")
        if (
            removes_privilege
            and account.active
            and rank >= self._administrator
            and not await self._has_other_administrator(account)
        ):
            return Refusal("it would be the last active administrator", "make another account an administrator first")
        return None

    async def _has_other_administrator(self, account: AccountState) -> bool:
        for role_id in (role_id for role_id, rank in self._rank.items() if rank >= self._administrator):
            for other in await self._writer.accounts(roleId=role_id):
                if other.active and other.account_id != account.account_id:
                    return True
        return False


def shown_names() -> dict[str, str]:
    """Return the display names of the built-in roles, by their API names in lower case."""
    with (resources.reference_data() / "role_names.csv").open(encoding="utf-8", newline="") as stream:
        return {row["role_name"].lower(): row["display_name"] for row in csv.DictReader(stream)}
