"""Entra ID by Microsoft Graph: which addresses are read, which columns are kept, and what a missing permission costs.

Facts from Microsoft's documentation (learn.microsoft.com/graph/api):

* "List users": ``$top`` is at most 999. With ``signInActivity`` a page holds at most 500 users, or 120 in an earlier
  version of the page; a larger ``$top`` gives such pages, and has also been refused.
* That column needs ``AuditLog.Read.All`` and a premium licence, ``employeeLeaveDateTime`` needs
  ``User-LifeCycleInfo.Read.All``.
* "Advanced query capabilities": ``/users/$count`` wants ``ConsistencyLevel: eventual``, and gives a bare number.
  ``$expand=manager`` is for requests without it.
* "Paging": ``@odata.nextLink`` is the address of the next page, to be used as it is.
* "List appRoleAssignments granted for a service principal": users and groups assigned to an application, which needs
  ``Application.Read.All``. Members of groups need ``GroupMember.Read.All``.
* "Get access without a user": a token of the client credentials grant, for the scope ``<address of Graph>/.default``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from pipeline.clock import Clock
from pipeline.errors import ConfigurationError
from pipeline.settings import Credentials
from pipeline.sources.directories.endpoint import Directory, Shape, as_object, shape_of
from pipeline.sources.directories.linked import LinkedPage, Seen, ignore
from pipeline.sources.directories.tokens import ClientTokens, Issued, request_token
from pipeline.sources.errors import BadAnswerError, RedirectedError, RefusedError, UnreachableError, UnreadableError
from pipeline.sources.exchange import Reply
from pipeline.sources.transport import Client
from pipeline.spool import Observation, Principal

__all__ = ["Entra"]

_HINT = "check the tenant, the client id and its secret; docs/entra.md says how to make a client that may only read"
_VERSION = "/v1.0"
_MOST = 999
#: Pages with ``signInActivity`` hold less: 500 users or, in an earlier version, 120. Larger ones may be refused.
_SMALLER = (500, 120)
#: Graph counts what it indexes a little later, hence the name of the level.
_EVENTUAL = {"ConsistencyLevel": "eventual", "Accept": "text/plain"}
_COLUMNS = (
    "id",
    "accountEnabled",
    "userPrincipalName",
    "mail",
    "otherMails",
    "proxyAddresses",
    "displayName",
    "employeeId",
    "department",
    "jobTitle",
    "userType",
    "createdDateTime",
)
#: Columns that need a permission of their own: what is lost without it.
_OPTIONAL = {
    "employeeLeaveDateTime": "needs the permission User-LifeCycleInfo.Read.All: planned last days are not known",
    "signInActivity": "needs the permission AuditLog.Read.All and a premium licence: last sign-ins are not known",
}
_MANAGER = "manager($select=id,mail,userPrincipalName)"
_USER = shape_of(
    *_COLUMNS,
    "employeeLeaveDateTime",
    signInActivity=("lastSignInDateTime",),
    manager=("id", "mail", "userPrincipalName"),
)
_GROUP = shape_of("id", "displayName")
_MEMBER = shape_of("id", "@odata.type")
_ASSIGNMENT = shape_of("id", "principalId", "principalType", "appRoleId", "createdDateTime")


class Entra:
    """One Entra ID tenant (see :class:`~pipeline.sources.directories.extract.DirectoryApi`)."""

    def __init__(self, client: Client, credentials: Credentials, clock: Clock) -> None:
        self.api = "microsoft graph v1.0"
        self.permissions = {
            "users": "User.Read.All",
            "groups": "GroupMember.Read.All",
            "members": "GroupMember.Read.All",
            "assignments": "Application.Read.All",
        }
        self.principal = Principal(user_name=credentials.username)
        self.missing: dict[str, str] = {}
        self._client = client
        self._credentials = credentials
        self._clock = clock
        self._tokens = ClientTokens(client, self._issue, clock, _HINT)
        self._directory = Directory(client, self._tokens)
        self._issuer: Client | None = None
        self._stack = AsyncExitStack()
        self._columns: tuple[str, ...] = (*_COLUMNS, *_OPTIONAL)
        self._base = "" if client.source.url.endswith(_VERSION) else _VERSION

    async def __aenter__(self) -> Entra:
        """Open a client for the authority, which is another host than Graph."""
        source = dataclasses.replace(self._client.source, url=self._client.source.authority)
        issuer = Client(source, clock=self._clock, sleep=self._client.sleep, page_log=self._client.page_log)
        self._issuer = await self._stack.enter_async_context(issuer)
        if self._credentials.password is not None:
            for client in (issuer, self._client):
                client.redaction.add(self._credentials.password.reveal())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def settings(self) -> dict[str, str]:
        """Return how it was read, for the record of the extract."""
        return {"login": "client_secret", "authority": self._client.source.authority}

    async def open(self) -> None:
        """Log in, and find out which columns the client may read.

        Raises:
            LoginError: the client is refused.
        """
        await self._tokens.token()
        if await self._can_read(tuple(_OPTIONAL)):
            return
        for column, need in _OPTIONAL.items():
            if not await self._can_read((column,)):
                self.missing[column] = need
        self._columns = tuple(column for column in self._columns if column not in self.missing)

    def users(self) -> EntraList:
        """Return the list of users, with their managers."""
        query = {"$select": ",".join(self._columns), "$expand": _MANAGER}
        return self._list("/users", _USER, query)

    def groups(self) -> EntraList:
        """Return the list of groups."""
        return self._list("/groups", _GROUP, {"$select": "id,displayName"})

    def members(self, group_id: str) -> EntraList:
        """Return the list of a group's direct members."""
        found = self._list(f"/groups/{quote(group_id, safe='')}/members", _MEMBER, {"$select": "id"})
        found.complete = {"group_id": group_id}
        return found

    def assignments(self, application: str) -> EntraList:
        """Return the list of users and groups assigned to an application."""
        return self._list(f"/servicePrincipals/{quote(application, safe='')}/appRoleAssignedTo", _ASSIGNMENT, {})

    def reads_members_of(self, group: dict[str, Any]) -> bool:  # noqa: ARG002
        """Return whether the members of a group are read: always."""
        return True

    def sees_everyone(self) -> Observation | None:
        """Return None: an application permission shows the whole tenant, and its count proves it."""
        return None

    def _list(self, path: str, shape: Shape, query: Mapping[str, str]) -> EntraList:
        limit = min(_MOST, self._client.source.page_size)
        return EntraList(self._directory, f"{self._base}{path}", query, shape, limit)

    async def _can_read(self, columns: Sequence[str]) -> bool:
        """Return whether the client may read these columns of users. Refusals of everything show in the list."""
        link = f"{self._base}/users?{_written({'$select': ','.join(('id', *columns)), '$top': '1'})}"
        try:
            await self._directory.get(link, as_object)
        except RefusedError as error:
            if isinstance(error, RedirectedError) or error.status not in (400, 401, 403, 404):
                raise
            return False
        return True

    async def _issue(self) -> Issued:
        source, secret = self._client.source, self._credentials.password
        if self._issuer is None or secret is None or source.client_id is None or source.tenant is None:
            raise ConfigurationError("no client secret", where=f"source '{source.name}'", hint=_HINT)
        parts = urlsplit(source.url)
        form = {
            "client_id": source.client_id,
            "client_secret": secret.reveal(),
            "scope": f"{parts.scheme}://{parts.netloc}/.default",
        }
        path = f"/{quote(source.tenant, safe='')}/oauth2/v2.0/token"
        try:
            return await request_token(self._issuer, path, form, _HINT)
        except UnreachableError as error:
            hint = error.hint.replace("'url'", "'authority'")
            raise UnreachableError(error.message, where=error.where, hint=hint) from error


class EntraList:
    """A list for :func:`pipeline.sources.directories.linked.read_linked`; ``complete`` is added to each record."""

    def __init__(
        self, directory: Directory, path: str, query: Mapping[str, str], shape: Shape, page_size: int
    ) -> None:
        self._directory = directory
        self._path = path
        self._query = query
        self._shape = shape
        self.page_size = page_size
        self.starts: Sequence[str] = (self._start(),)
        self.complete: dict[str, str] = {}

    def _start(self) -> str:
        return f"{self._path}?{_written({**self._query, '$top': str(self.page_size)})}"

    async def page(self, link: str, seen: Seen = ignore) -> tuple[Reply, LinkedPage]:
        """Request one page (see :class:`~pipeline.sources.directories.linked.LinkedList`).

        If a first page of this size is refused, smaller ones are requested.
        """
        is_first = link in self.starts
        while True:
            try:
                return await self._directory.records(
                    self._start() if is_first else link,
                    self._shape,
                    complete=self.complete,
                    list_of=_value,
                    seen=seen,
                )
            except RefusedError as error:
                smaller = [size for size in _SMALLER if size < self.page_size]
                if not is_first or error.status != 400 or not smaller:
                    raise
                self.page_size = smaller[0]

    async def count(self) -> int | None:
        """Return the directory's own count, or None if it does not count this list."""
        try:
            answer, count = await self._directory.get(f"{self._path}/$count", _number, **_EVENTUAL)
        except RedirectedError:
            raise
        except (RefusedError, UnreachableError, UnreadableError):
            return None
        self._directory.client.page_log.record(answer, "directory_count")
        return int(count)


def _written(query: Mapping[str, str]) -> str:
    return urlencode(query, quote_via=quote, safe="$,()=")


def _value(document: Any) -> tuple[list[Any], str | None]:
    """Read a collection: its elements, and the link to the next page."""
    if not isinstance(document, dict) or not isinstance(document.get("value"), list):
        raise BadAnswerError("the answer is not a collection")
    link = document.get("@odata.nextLink")
    if link is not None and not isinstance(link, str):
        raise BadAnswerError("the link to the next page is not an address")
    return document["value"], link


def _number(answer: Reply) -> int:
    text = answer.body.decode("utf-8-sig", "replace").strip().strip('"')
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise BadAnswerError("the answer is not a number")
    return int(text)
