"""Accounts that must not lose their access or their power, judged by the instance as it is now.

The plan has guards of its own, over the extract; between the two somebody may have become the last administrator.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import resources
from pipeline.sources.writing import AccountState, Writer

__all__ = ["Guards", "Refusal", "shown_names"]

#: The ranks of data/reference/roles.csv from which a role can undo what was done, and of the one made at install.
_ADMINISTRATOR, _INSTALLED = 90, 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an account is left alone, as the end of a sentence about it, and what to do instead."""

    reason: str
    hint: str


class Guards:
    """The guards of one instance, over its roles as they were read when the work began."""

    def __init__(self, writer: Writer, roles: Sequence[Mapping[str, Any]]) -> None:
        self._writer = writer
        ranks = _ranks()
        # a custom role is what it is made from; its own name may be that of anything
        self._rank = {
            str(role.get("_id")): max(
                ranks.get(str(role.get(key) or "").lower(), 0) for key in ("name", "displayName", "baseRoleName")
            )
            for role in roles
        }

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
    return {row["role_name"].lower(): row["display_name"] for row in _reference("role_names")}


def _ranks() -> dict[str, int]:
    ranks = {row["role_name"].lower(): int(row["rank"]) for row in _reference("roles")}
    return ranks | {shown.lower(): ranks[name] for name, shown in shown_names().items() if name in ranks}


def _reference(name: str) -> list[dict[str, str]]:
    with (resources.reference_data() / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
