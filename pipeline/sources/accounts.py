"""Single accounts of a source: the fields that the program compares, and the changes it can make.

No answer to a change is trusted, good or bad: the account is read afterwards, and that decides the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.sources.retries import Sleep
from pipeline.spool import Principal

__all__ = ["AccountState", "Witness", "Writer", "id_of"]

#: Entered before a change is sent, with its method, address and body (without a password). Left once it was
#: answered, with the error if there is one. An error raised on entry keeps the change from being sent.
Witness = Callable[[str, str, Mapping[str, Any] | None], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class AccountState:
    """The fields of an account that the program compares, as the source sends them. Absent and empty are the same.

    ``groups`` are ids, sorted; ``has_unreadable_groups`` is set if some cannot be read. Numeric ids are text here.
    ``active`` is None if the source gives no usable flag.
    """

    account_id: str
    user_name: str | None
    email: str | None
    active: bool | None
    role_id: str | None
    groups: tuple[str, ...]
    last_login: str | None
    last_activity: str | None
    first_name: str | None = None
    last_name: str | None = None
    has_unreadable_groups: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields that are compared, by their API names."""
        return {
            "userName": self.user_name,
            "active": self.active,
            "roleId": self.role_id,
            "groups": list(self.groups),
            "lastLogin": self.last_login,
            "lastActivity": self.last_activity,
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> AccountState:
        """Read a user record as staging does. Groups and the role may be ids or objects."""
        groups = record.get("groups")
        listed = groups if isinstance(groups, list) else [groups]  # a single group may stand outside a list
        ids = [id_of(group) for group in listed if group is not None and group != ""]
        active = record.get("active")
        if isinstance(active, str):
            active = {"true": True, "false": False}.get(active.lower())
        return cls(
            account_id=id_of(record["_id"]) or str(record["_id"]),
            user_name=_text(record.get("userName")),
            email=_text(record.get("email")),
            active=active if isinstance(active, bool) else None,
            role_id=id_of(record.get("roleId")) or id_of(record.get("role"), is_object=True),
            groups=tuple(sorted({group for group in ids if group is not None})),
            last_login=_text(record.get("lastLogin")),
            last_activity=_text(record.get("lastActivity")),
            first_name=_text(record.get("firstName")),
            last_name=_text(record.get("lastName")),
            has_unreadable_groups=None in ids,
        )


class Writer(Protocol):
    """Reads and changes single accounts. ``principal`` is the account of the credential.

    ``witness`` observes every change that is sent.
    """

    witness: Witness

    @property
    def principal(self) -> Principal:
        """Return the account of the credential."""

    @property
    def where(self) -> str:
        """Return the address of the source."""

    @property
    def sleep(self) -> Sleep:
        """Return the function that waits."""

    async def account(self, account_id: str) -> AccountState | None:
        """Read one account afresh; return None if no account has this id.

        Raises:
            SourceError: it cannot be read.
        """

    async def accounts(self, **query: str) -> list[AccountState]:
        """Read the accounts with one value, such as a ``userName``, whether or not the server filters its list.

        Raises:
            SourceError: they cannot be read.
        """

    async def roles(self) -> list[dict[str, Any]]:
        """Read every role.

        Raises:
            SourceError: they cannot be read.
        """

    async def groups(self) -> list[dict[str, Any]]:
        """Read every group.

        Raises:
            SourceError: they cannot be read.
        """

    async def create(self, fields: Mapping[str, Any]) -> None:
        """Send a new account, once. Raises as :meth:`change`."""

    async def change(self, account_id: str, fields: Mapping[str, Any]) -> None:
        """Send new values of an account's fields, once.

        Raises:
            RefusedError: a definite no.
            UnclearError: whether the change was made is unknown; read back.
        """

    async def delete(self, account_id: str) -> None:
        """Delete an account permanently. Raises as :meth:`change`."""


def id_of(value: object, *, is_object: bool = False) -> str | None:
    """Return an id, or the id of an object, as text, or None. ``is_object`` accepts objects only."""
    if isinstance(value, dict):
        value = value.get("_id")
    elif is_object:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
