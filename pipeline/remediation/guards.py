"""Accounts that must not lose their access or their power, judged by the instance as it is now.

The plan has guards of its own, over the extract; between the two somebody may have become the last administrator.
Roles are ranked as a build ranks them, by the policy too.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import resources
from pipeline.sources.sisense.writing import AccountState, Writer
from pipeline.warehouse.policy import PolicyFiles
from pipeline.warehouse.ranks import role_ranks

__all__ = ["Guards", "Refusal", "shown_names"]

#: The ranks from which a role can undo what was done, and of the one made at install, which stays that whatever rank
#: a policy gives it.
_ADMINISTRATOR, _INSTALLED = 90, 100
_INSTALLED_ROLE = "super"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an account is left alone, as the end of a sentence about it, and what to do instead."""

    reason: str
    hint: str


class Guards:
    """The guards of one instance, over its roles as they were read when the work began.

    Raises:
        ConfigurationError: the policy that ranks them is wrong.
    """

    def __init__(self, writer: Writer, roles: Sequence[Mapping[str, Any]], policy: PolicyFiles) -> None:
        self._writer = writer
        self._rank = {role_id: rank or 0 for role_id, rank in role_ranks(roles, policy).items()}
        shown = shown_names()
        names = {_INSTALLED_ROLE, shown[_INSTALLED_ROLE].lower()}
        for role in roles:
            if {str(role.get(key) or "").lower() for key in ("name", "displayName", "baseRoleName")} & names:
                self._rank[str(role.get("_id"))] = _INSTALLED

    async def refuse(self, account: AccountState, *, takes_power: bool) -> Refusal | None:
        """Return why this account must not be touched; null if it may. ``takes_power``: its role or its access goes.

        Raises:
            SourceError: who else is an administrator cannot be read.
        """
        own = self._writer.principal
        if own.account_id is None and own.user_name is None:
            return Refusal(
                "nothing says which account this program logs in with, so it may be this one",
                "set 'username' in the configuration and log in with its password, not with a token",
            )
        name = (account.user_name or "").lower()
        if account.account_id == own.account_id or (name and name == (own.user_name or "").lower()):
            return Refusal("it is the account this program logs in with", "let another administrator do it")
        rank = self._rank.get(account.role_id or "", 0)
        if rank >= _INSTALLED:
            return Refusal("it is the administrator made at install", "Sisense needs that account")
        if takes_power and account.active and rank >= _ADMINISTRATOR and not await self._has_others(account):
            return Refusal("it would be the last active administrator", "make somebody else an administrator first")
        return None

    async def _has_others(self, account: AccountState) -> bool:
        for role_id in (role_id for role_id, rank in self._rank.items() if rank >= _ADMINISTRATOR):
            for other in await self._writer.accounts(roleId=role_id):
                if other.active and other.account_id != account.account_id:
                    return True
        return False


def shown_names() -> dict[str, str]:
    """Return the names that people see of the built-in roles, by the API's in lower case."""
    with (resources.reference_data() / "role_names.csv").open(encoding="utf-8", newline="") as stream:
        return {row["role_name"].lower(): row["display_name"] for row in csv.DictReader(stream)}
