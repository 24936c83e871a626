"""Changes to the accounts of one Sisense: sent once, and always read back.

No answer to a change is believed, good or bad: what counts is the account as it is read afterwards. Only the commands
``remediate`` and ``users`` use this module; everything else in the program reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipeline.clock import Clock, utc_now
from pipeline.errors import ContentError
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources.errors import BadAnswerError, RefusedError
from pipeline.sources.records import read_json
from pipeline.sources.sisense.lookup import Lookup
from pipeline.sources.sisense.rest import Endpoint, SisenseApi, read_object
from pipeline.sources.sisense.session import Session
from pipeline.sources.transport import Client, Sleep
from pipeline.spool import Principal

__all__ = ["AccountState", "Witness", "Writer", "connected"]

#: Entered before a change is sent, with its method, its address and what it holds but for a password; left when it
#: was answered, with the error if there is one.
Witness = Callable[[str, str, Mapping[str, Any] | None], AbstractContextManager[None]]

_ABSENT = frozenset({404, 410})
#: The only flavour whose descriptions have these changes.
_BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the program compares of an account: as the source has it, an absent and an empty value alike.

    ``groups`` are ids, sorted; where some cannot be read, ``has_unreadable_groups``. Ids that are numbers stand here
    as text. ``active`` is None where the source gives no usable flag.
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
        """Return what can be compared, by the names of the API."""
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
        """Read a user record as staging does; groups and the role may be ids or objects."""
        groups = record.get("groups")
        listed = groups if isinstance(groups, list) else [groups]  # one group outside a list is a group all the same
        ids = [_id_of(group) for group in listed if group is not None and group != ""]
        active = record.get("active")
        if isinstance(active, str):
            active = {"true": True, "false": False}.get(active.lower())
        return cls(
            account_id=_id_of(record["_id"]) or str(record["_id"]),
            user_name=_text(record.get("userName")),
            email=_text(record.get("email")),
            active=active if isinstance(active, bool) else None,
            role_id=_id_of(record.get("roleId")) or _id_of(record.get("role"), is_object=True),
            groups=tuple(sorted({group for group in ids if group is not None})),
            last_login=_text(record.get("lastLogin")),
            last_activity=_text(record.get("lastActivity")),
            first_name=_text(record.get("firstName")),
            last_name=_text(record.get("lastName")),
            has_unreadable_groups=None in ids,
        )


class Writer:
    """Reads and changes single accounts. ``principal`` is who the credential belongs to.

    ``witness`` sees every change that is sent; what it raises beforehand keeps the change from being sent.
    """

    def __init__(self, instance: SisenseApi, principal: Principal) -> None:
        self.principal = principal
        self.witness: Witness = _unseen
        self._instance = instance
        self._client = instance.client
        self._users = f"{_BASE}/users"
        self._lookup = Lookup(instance, instance.users or Endpoint(self._users))
        # ids that this server writes as numbers: they go back to it as numbers
        self._numbers: set[str] = set()

    @property
    def where(self) -> str:
        """Return the address of the instance."""
        return self._client.source.url

    @property
    def sleep(self) -> Sleep:
        """Return how to wait."""
        return self._client.sleep

    async def account(self, account_id: str) -> AccountState | None:
        """Read one account afresh; null if there is none of that id.

        Raises:
            SourceError: it cannot be read.
        """
        try:
            _, record = await self._client.ask(self._path(account_id), _read_user, authority=self._instance.session)
        except RefusedError as error:
            if error.status in _ABSENT:
                return None
            raise
        return self._state(record)

    async def accounts(self, **query: str) -> list[AccountState]:
        """Read the accounts with one value, such as a ``userName``, whether the server filters its list or not.

        Raises:
            SourceError: they cannot be read.
        """
        return [self._state(record) for record in await self._lookup.find(query)]

    async def roles(self) -> list[dict[str, Any]]:
        """Read every role.

        Raises:
            SourceError: they cannot be read.
        """
        found = await self._instance.read_roles()
        if found is None:
            raise self._missing("roles")
        records = [record for record in read_json(found.value.kept) if isinstance(record, dict)]
        self._note_numbers(record.get("_id") for record in records)
        return records

    async def groups(self) -> list[dict[str, Any]]:
        """Read every group, page by page until no new one comes.

        Raises:
            SourceError: they cannot be read.
        """
        endpoint = await self._instance.find_groups()
        if endpoint is None:
            raise self._missing("groups")
        found: dict[str, dict[str, Any]] = {}
        while True:
            _, page = await self._client.ask(
                endpoint.path,
                _read_list,
                query={"skip": len(found), "limit": self._client.source.page_size},
                authority=self._instance.session,
            )
            new = {key: group for group in page if (key := _id_of(group.get("_id"))) and key not in found}
            if not new:
                self._note_numbers(group["_id"] for group in found.values())
                return list(found.values())
            found |= new

    async def change(self, account_id: str, fields: Mapping[str, Any]) -> None:
        """Send new values of an account's fields, once.

        Raises:
            RefusedError: a clear no. UnclearError: nobody knows; read back.
        """
        await self._write("PATCH", self._path(account_id), self._as_written(fields))

    async def create(self, fields: Mapping[str, Any]) -> None:
        """Send a new account, once. Raises as :meth:`change`."""
        password = fields.get("password")
        if isinstance(password, str):
            self._client.keep_secret(password)
        await self._write("POST", self._users, self._as_written(fields))

    async def delete(self, account_id: str) -> None:
        """Delete an account for good. Raises as :meth:`change`."""
        await self._write("DELETE", self._path(account_id), None)

    def _state(self, record: Mapping[str, Any]) -> AccountState:
        groups = record.get("groups")
        self._note_numbers([record.get("roleId"), *(groups if isinstance(groups, list) else [groups])])
        return AccountState.of(record)

    def _note_numbers(self, ids: Iterable[object]) -> None:
        self._numbers.update(str(each) for each in ids if isinstance(each, int) and not isinstance(each, bool))

    def _as_written(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return fields with ids as this server writes them."""
        written = dict(fields)
        if written.get("roleId") in self._numbers:
            written["roleId"] = int(written["roleId"])
        if "groups" in written:
            written["groups"] = [int(group) if group in self._numbers else group for group in written["groups"]]
        return written

    def _path(self, account_id: str) -> str:
        return f"{self._users}/{quote(account_id, safe='')}"

    async def _write(self, method: str, path: str, document: Mapping[str, Any] | None) -> None:
        shown = None if document is None else {key: value for key, value in document.items() if key != "password"}
        with self.witness(method, self._client.hide(self._client.source.url + path), shown):
            await self._client.write(method, path, document, authority=self._instance.session)

    def _missing(self, what: str) -> ContentError:
        return ContentError(
            f"the {what} cannot be read",
            where=self._client.where("GET", self._client.source.url),
            hint="run 'access-review check', and look at the rights of the account",
        )


@asynccontextmanager
async def connected(
    source: SourceSettings, credentials: Credentials, *, clock: Clock = utc_now, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[Writer]:
    """Log in to a source that can be written to.

    Raises:
        ContentError: it has no API that is known to take changes.
        SourceError: it cannot be reached, or refuses the login.
    """
    async with Client(source, clock=clock, sleep=sleep) as client:
        session = Session(client, credentials, on_login=_ignore)
        instance = SisenseApi(client, session, _ignore)
        await instance.find_users()
        if instance.base != _BASE:
            raise ContentError(
                f"the source has only the API {instance.api}, for which no way to change an account is documented",
                where=client.where("GET", source.url),
                hint="make the change by hand in Sisense, then run 'access-review remediate verify'",
            )
        yield Writer(instance, await instance.read_principal())


def _unseen(*_: object) -> AbstractContextManager[None]:
    """See nothing: a plan has a journal of its own."""
    return nullcontext()


def _ignore(*_: object) -> None:
    """Only an extract keeps the answers."""


def _read_user(answer: Any) -> dict[str, Any]:
    record = read_object(answer)
    if _id_of(record.get("_id")) is None:
        raise BadAnswerError("the answer is not an account")
    return record


def _read_list(answer: Any) -> list[dict[str, Any]]:
    document = read_json(answer.body)
    if not isinstance(document, list):
        raise BadAnswerError("the answer is not a list of records")
    return [record for record in document if isinstance(record, dict)]


def _id_of(value: object, *, is_object: bool = False) -> str | None:
    """Return an id, or that of an object, as text; None if it cannot be read. ``is_object``: nothing else has one."""
    if isinstance(value, dict):
        value = value.get("_id")
    elif is_object:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
