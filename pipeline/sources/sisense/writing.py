"""Changes to the accounts of one Sisense: each is sent once, and the caller reads back.

Only the commands ``remediate``, ``users`` and ``scim`` write; everything else in the program reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any
from urllib.parse import quote

from pipeline.clock import Clock, utc_now
from pipeline.errors import ContentError
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources.accounts import AccountState, Witness, id_of
from pipeline.sources.errors import BadAnswerError, RefusedError
from pipeline.sources.exchange import Reply, Request
from pipeline.sources.records import read_json
from pipeline.sources.retries import Sleep
from pipeline.sources.sisense.lookup import Lookup
from pipeline.sources.sisense.rest import Endpoint, SisenseApi, read_object
from pipeline.sources.sisense.session import Session
from pipeline.sources.transport import Client
from pipeline.spool import Principal

__all__ = ["RestWriter", "connected"]

_ABSENT = frozenset({404, 410})
#: The only flavour whose published description has these changes.
_BASE = "/api/v1"


class RestWriter:
    """Reads and changes single accounts by REST (see :class:`~pipeline.sources.accounts.Writer`)."""

    def __init__(self, api: SisenseApi, principal: Principal) -> None:
        self.principal = principal
        self.witness: Witness = _no_witness
        self._api = api
        self._client = api.client
        self._users = f"{_BASE}/users"
        self._lookup = Lookup(api, api.users or Endpoint(self._users))
        # this server writes some ids as numbers, and gets them back as numbers
        self._numeric_ids: set[str] = set()

    @property
    def where(self) -> str:
        """Return the address of the instance."""
        return self._client.source.url

    @property
    def sleep(self) -> Sleep:
        """Return the function that waits."""
        return self._client.sleep

    async def account(self, account_id: str) -> AccountState | None:
        """Read one account afresh; return None if no account has this id.

        Raises:
            SourceError: it cannot be read.
        """
        request = Request(self._path(account_id))
        try:
            _, record = await self._client.fetch(request, _read_user, authority=self._api.session)
        except RefusedError as error:
            if error.status in _ABSENT:
                return None
            raise
        return self._state(record)

    async def accounts(self, **query: str) -> list[AccountState]:
        """Read the accounts with one value, such as a ``userName``, whether or not the server filters its list.

        Raises:
            SourceError: they cannot be read.
        """
        return [self._state(record) for record in await self._lookup.find(query)]

    async def roles(self) -> list[dict[str, Any]]:
        """Read every role.

        Raises:
            SourceError: they cannot be read.
        """
        found = await self._api.read_roles()
        if found is None:
            raise self._missing("roles")
        records = [record for record in read_json(found.value.kept) if isinstance(record, dict)]
        self._note_numeric(record.get("_id") for record in records)
        return records

    async def groups(self) -> list[dict[str, Any]]:
        """Read every group, page by page until there is no new one.

        Raises:
            SourceError: they cannot be read.
        """
        probe = await self._api.find_groups()
        if probe is None:
            raise self._missing("groups")
        found: dict[str, dict[str, Any]] = {}
        while True:
            request = Request(probe.endpoint.path, {"skip": len(found), "limit": self._client.source.page_size})
            _, page = await self._client.fetch(request, _read_groups, authority=self._api.session)
            new = {key: group for group in page if (key := id_of(group.get("_id"))) and key not in found}
            if not new:
                self._note_numeric(group["_id"] for group in found.values())
                return list(found.values())
            found |= new

    async def change(self, account_id: str, fields: Mapping[str, Any]) -> None:
        """Send new values of an account's fields, once.

        Raises:
            RefusedError: a definite no.
            UnclearError: whether the change was made is unknown; read back.
        """
        await self._write("PATCH", self._path(account_id), self._as_written(fields))

    async def create(self, fields: Mapping[str, Any]) -> None:
        """Send a new account, once. Raises as :meth:`change`."""
        password = fields.get("password")
        if isinstance(password, str):
            self._client.redaction.add(password)
        await self._write("POST", self._users, self._as_written(fields))

    async def delete(self, account_id: str) -> None:
        """Delete an account permanently. Raises as :meth:`change`."""
        await self._write("DELETE", self._path(account_id), None)

    def _state(self, record: Mapping[str, Any]) -> AccountState:
        groups = record.get("groups")
        self._note_numeric([record.get("roleId"), *(groups if isinstance(groups, list) else [groups])])
        return AccountState.of(record)

    def _note_numeric(self, ids: Iterable[object]) -> None:
        self._numeric_ids.update(str(each) for each in ids if isinstance(each, int) and not isinstance(each, bool))

    def _as_written(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return fields with the ids as this server writes them."""
        written = dict(fields)
        if written.get("roleId") in self._numeric_ids:
            written["roleId"] = int(written["roleId"])
        if "groups" in written:
            groups = written["groups"]
            written["groups"] = [int(group) if group in self._numeric_ids else group for group in groups]
        return written

    def _path(self, account_id: str) -> str:
        return f"{self._users}/{quote(account_id, safe='')}"

    async def _write(self, method: str, path: str, document: Mapping[str, Any] | None) -> None:
        shown = None if document is None else {key: value for key, value in document.items() if key != "password"}
        with self.witness(method, self._client.redaction.hide(self._client.source.url + path), shown):
            await self._client.write(Request(path, method=method, document=document), authority=self._api.session)

    def _missing(self, what: str) -> ContentError:
        return ContentError(
            f"the {what} cannot be read",
            where=self._client.where("GET", self._client.source.url),
            hint="run 'access-review check', and check the rights of the account",
        )


@asynccontextmanager
async def connected(
    source: SourceSettings, credentials: Credentials, *, clock: Clock = utc_now, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[RestWriter]:
    """Log in to a source, and yield what changes its accounts.

    Raises:
        ContentError: no API is documented to change accounts there.
        SourceError: it cannot be reached, or refuses the login.
    """
    async with Client(source, clock=clock, sleep=sleep) as client:
        api = SisenseApi(client, Session(client, credentials))
        await api.find_users()
        if api.base != _BASE:
            raise ContentError(
                f"the source has only the API {api.flavour}, for which no change of accounts is documented",
                where=client.where("GET", source.url),
                hint="make the change by hand in Sisense, then run 'access-review remediate verify'",
            )
        yield RestWriter(api, await api.read_principal())


def _no_witness(*_: object) -> AbstractContextManager[None]:
    """Observe nothing: a plan has a journal of its own."""
    return nullcontext()


def _read_user(answer: Reply) -> dict[str, Any]:
    record = read_object(answer)
    if id_of(record.get("_id")) is None:
        raise BadAnswerError("the answer is not an account")
    return record


def _read_groups(answer: Reply) -> list[dict[str, Any]]:
    document = read_json(answer.body)
    if not isinstance(document, list):
        raise BadAnswerError("the answer is not a list of groups")
    return [record for record in document if isinstance(record, dict)]
