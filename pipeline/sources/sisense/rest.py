"""The REST API of one Sisense: which flavour it is, where its endpoints are, and what they answer.

The documents disagree about addresses and parameters, so every endpoint is probed. An address counts as absent after
two refusals (404, 405, 410, 501), or if it keeps answering with something other than data; never after one failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pipeline.errors import ContentError, LoginError, UnreachableError
from pipeline.sources.errors import BadAnswerError, RedirectedError, RefusedError, UnreadableError
from pipeline.sources.exchange import Reply, Request
from pipeline.sources.records import Records, read_json, read_records
from pipeline.sources.sisense.session import Session
from pipeline.sources.transport import Client
from pipeline.spool import Principal

__all__ = ["LOSSES", "Endpoint", "Found", "SisenseApi", "read_count", "read_object", "read_page"]

_T = TypeVar("_T")

#: What the report lacks if an endpoint does not exist, by resource.
LOSSES = {
    "status": "the server's version is not known",
    "loggedin": "the caller's own role cannot be read, so it is unknown whether it sees every account",
    "users_count": "no independent count: the end of the list rests on two agreeing sweeps",
    "roles": "roles have no names, no rank and no permissions: every account counts as unclassified",
    "groups": "groups have no names, and their roles are unknown",
    "group_members": "memberships that only the group lists are missing",
}
#: Endpoints whose failure counts as absence: the completeness checks are stricter without them.
_DISPENSABLE = frozenset({"loggedin", "users_count"})
_BASES = {"v1": ("/api/v1",), "v0.9": ("/api", "/api/v0.9"), "auto": ("/api/v1", "/api", "/api/v0.9")}
_API_NAMES = {"/api/v1": "v1", "/api": "v0.9 at /api", "/api/v0.9": "v0.9 at /api/v0.9"}
#: Statuses that say that an address is absent; 302 stands for a redirect to another host.
_ABSENT = frozenset({302, 404, 405, 410, 501})
_NO_PAGE: Mapping[str, int] = {}
_UNKNOWN_KEYS = frozenset({400, 422})
#: Attempts for an address that is probed, before the next one is tried.
_PROBES = 3


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that exists, and the optional query it accepts."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found(Generic[_T]):
    """An endpoint, and what it answered to the probe. ``page`` is the part of the list that was requested."""

    endpoint: Endpoint
    answer: Reply
    value: _T
    page: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Probe(Generic[_T]):
    """One endpoint to probe: the addresses, the optional queries and the pages to try, the preferred ones first.

    With ``tries_smaller`` the next page is tried also if there is no usable answer with this one.
    """

    resource: str
    paths: AsyncIterator[str]
    queries: Sequence[Mapping[str, str]]
    read: Callable[[Reply], _T]
    pages: Sequence[Mapping[str, int]]
    tries_smaller: bool = False


class SisenseApi:
    """Finds the endpoints of one Sisense and reads them.

    ``missing`` names the endpoints that were not found, each with what the report loses; ``base`` is the path of the
    flavour that was found, ``users`` its list of accounts. Answers without records go to the client's page log.
    """

    def __init__(self, client: Client, session: Session) -> None:
        self.client = client
        self.session = session
        self.missing: dict[str, str] = {}
        self.version: str | None = None
        self.base: str | None = None
        self.users: Endpoint | None = None
        self.skew_seconds: float | None = None
        self._redirect: RedirectedError | None = None
        self._looking: asyncio.Event | None = None

    @property
    def flavour(self) -> str | None:
        """Return the flavour of the API in words, or None if none was found."""
        return _API_NAMES[self.base] if self.base else None

    async def read_status(self) -> None:
        """Read the version, which needs no login and is not on every server."""
        request = Request("/api/v1/application/status")
        try:
            async with self.client.limiter.slot():
                answer, status = await self.client.fetch(request, read_object, attempts=_PROBES)
        except (RefusedError, UnreadableError, UnreachableError):
            if not self.client.has_answered:
                raise
            self.missing["status"] = LOSSES["status"]
            return
        self.client.page_log.record(answer, "status")
        version = status.get("version")
        version = version.get("version") if isinstance(version, dict) else version
        self.version = self._text(version)

    async def find_users(self, page_size: int = 1) -> Found[Records]:
        """Find the list of accounts, and with it the flavour of the API, and read a page of it.

        Other endpoints can be looked for meanwhile; where their address depends on the flavour, they wait.

        Raises:
            SourceError: the list does not exist, or the caller may not read it.
        """
        self._looking = asyncio.Event()
        try:
            return await self._find_users(page_size)
        finally:
            self._looking.set()

    async def _find_users(self, page_size: int) -> Found[Records]:
        bases = _BASES[self.client.source.api]
        paths = [f"{base}/users" for base in bases]
        queries = [{"sort": "_id"}, {}]
        found = await self._find(_Probe("users", _in_turn(paths), queries, read_page, _first_pages(page_size)))
        if found is None and self._redirect is not None:
            raise ContentError(
                f"the list of users cannot be reached: {self._redirect.message}",
                where=self._redirect.where,
                hint="exempt the API from the sign-in page in front of the server, or correct 'url'",
            )
        if found is None:
            raise ContentError(
                "there is no list of users at any known address",
                where=self.client.where("GET", f"{self.client.source.url} ({', '.join(paths)})"),
                hint="check 'url' (with its tenant prefix, if it has one) and 'api'",
            )
        self.client.page_log.record(found.answer, "probe")
        self.base = found.endpoint.path.removesuffix("/users")
        self.users = found.endpoint
        return found

    async def find_optional(
        self,
        resource: str,
        suffix: str,
        queries: Sequence[Mapping[str, str]],
        read: Callable[[Reply], _T],
        pages: Sequence[Mapping[str, int]] = (_NO_PAGE,),
    ) -> Found[_T] | None:
        """Find an endpoint that may be absent; if it is, note in ``missing`` what is lost.

        Groups are tried under the flavour's own base first, everything else where the public clients have it.
        """
        addresses = self._addresses(resource, suffix)
        try:
            found = await self._find(_Probe(resource, addresses, queries, read, pages, tries_smaller=True))
        except (RefusedError, UnreadableError, LoginError, UnreachableError) as error:
            is_trouble = isinstance(error, UnreachableError) and resource not in _DISPENSABLE
            if self.session.is_over or is_trouble:
                raise
            self.missing[resource] = f"{LOSSES[resource]} ({error.message})"
            return None
        if found is None:
            self.missing[resource] = LOSSES[resource]
        return found

    async def read_principal(self) -> Principal:
        """Return the account of the credential; without an endpoint for it, what the login said."""
        found = await self.find_optional("loggedin", "users/loggedin", [{}], _read_caller)
        if found is None:
            return self._principal(self.session.profile)
        self.client.page_log.record(found.answer, "loggedin")
        return self._principal(found.value)

    async def find_count(self) -> Found[int] | None:
        """Find the server's own count of accounts, and read it."""
        found = await self.find_optional("users_count", "users/count", [{}], read_count)
        if found is not None:
            self.client.page_log.record(found.answer, "users_count")
        return found

    async def find_groups(self, page_size: int = 1) -> Found[Records] | None:
        """Find the list of groups, with the members if the server supports that, and read a page of it.

        The page log gets the answer from what reads the list, because it may be the first page.
        """
        queries = [{"expand": "users", "sort": "_id"}, {"expand": "users"}, {}]
        found = await self.find_optional("groups", "groups", queries, self.read_records, _first_pages(page_size))
        if found is not None and "expand" not in found.endpoint.query:
            self.missing["group_members"] = LOSSES["group_members"]
        return found

    async def read_roles(self) -> Found[Records] | None:
        """Read the roles, which come in one answer, with their permissions if the server supports that."""
        queries = [{"includeManifest": "true", "includeBaseRolesName": "true"}, {}]
        return await self.find_optional("roles", "roles", queries, self.read_records)

    def read_records(self, answer: Reply) -> Records:
        """Read an answer that must be a list of records, and remove the secrets from it."""
        return read_records(answer.body, self.client.redaction.secrets)

    async def get(
        self, endpoint: Endpoint, read: Callable[[Reply], _T], query: Mapping[str, str | int] | None = None
    ) -> tuple[Reply, _T]:
        """Read an endpoint that was found."""
        request = Request(endpoint.path, {**(query or {}), **endpoint.query})
        answer, value = await self.client.fetch(request, read, authority=self.session)
        self._note_skew(answer)
        return answer, value

    def _principal(self, document: Mapping[str, Any]) -> Principal:
        role = document.get("role")
        role_name = role.get("name") if isinstance(role, dict) else role
        role_id = role.get("_id") if isinstance(role, dict) else None
        text = self._text
        return Principal(
            user_name=text(document.get("userName")) or text(document.get("email")),
            account_id=text(_number_as_text(document.get("_id"))),
            role_id=text(_number_as_text(document.get("roleId"))) or text(_number_as_text(role_id)),
            role_name=text(document.get("roleName")) or text(role_name),
        )

    def _text(self, value: object) -> str | None:
        return self.client.redaction.hide(value) if isinstance(value, str) and value else None

    async def _addresses(self, resource: str, suffix: str) -> AsyncIterator[str]:
        """Yield where an endpoint may be. The usual address is known before the flavour is."""
        is_under_the_flavour = resource == "groups"
        if not is_under_the_flavour:
            yield f"/api/{suffix}"
        if self._looking is not None:
            await self._looking.wait()
        for base in dict.fromkeys([self.base or "/api", "/api", "/api/v1", "/api/v0.9"]):
            if is_under_the_flavour or base != "/api":
                yield f"{base}/{suffix}"

    async def _find(self, wanted: _Probe[_T]) -> Found[_T] | None:
        """Try the addresses in turn; those with unreadable answers once more at the end, with the whole budget.

        Raises:
            UnreadableError: there is no such endpoint, and this is what answered instead.
        """
        unreadable: list[str] = []
        async for path in wanted.paths:
            try:
                found = await self._probe(wanted, path, _PROBES)
            except UnreadableError:
                unreadable.append(path)
                continue
            if found is not None:
                return found
        instead: UnreadableError | None = None
        for path in unreadable:
            try:
                found = await self._probe(wanted, path, None)
            except UnreadableError as error:
                instead = instead or error
                continue
            if found is not None:
                return found
        if instead is not None:
            raise instead
        return None

    async def _probe(self, wanted: _Probe[_T], path: str, attempts: int | None) -> Found[_T] | None:
        """Probe one address, with the preferred query first; return None if it is absent."""
        queries = [(query, page) for page in wanted.pages for query in wanted.queries]
        was_refused = False
        while True:
            try:
                query, page = queries[0]
                request = Request(path, {**page, **query})
                answer, value = await self.client.fetch(
                    request, wanted.read, authority=self.session, attempts=attempts
                )
            except (UnreachableError, UnreadableError):
                if not wanted.tries_smaller or page == wanted.pages[-1]:
                    raise
                queries = [(query, smaller) for query, smaller in queries if smaller != page]
                continue
            except RefusedError as error:
                if isinstance(error, RedirectedError):
                    self._redirect = error
                if error.status in _UNKNOWN_KEYS and len(queries) > 1:
                    del queries[0]
                elif error.status not in _ABSENT | _UNKNOWN_KEYS:
                    raise
                elif was_refused:
                    return None
                else:
                    was_refused = True
                continue
            self._note_skew(answer)
            return Found(Endpoint(path, query), answer, value, page)

    def _note_skew(self, answer: Reply) -> None:
        if self.skew_seconds is None:
            self.skew_seconds = answer.skew_seconds


async def _in_turn(paths: Sequence[str]) -> AsyncIterator[str]:
    for path in paths:
        yield path


def _first_pages(page_size: int) -> list[Mapping[str, int]]:
    """Return the pages to probe a list with: one of full size, and the smallest."""
    return [{"skip": 0, "limit": limit} for limit in dict.fromkeys((page_size, 1))]


def _number_as_text(value: object) -> object:
    """Return an id as text: some servers write numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def read_page(answer: Reply) -> Records:
    """Read an answer that must be a list of records and is not kept."""
    return read_records(answer.body)


def read_object(answer: Reply) -> dict[str, Any]:
    """Read an answer that must be a JSON object."""
    document = read_json(answer.body)
    if not isinstance(document, dict):
        raise BadAnswerError("the answer is not an object")
    return document


def read_count(answer: Reply) -> int:
    """Read an answer that must be a count: ``{"collection": "users", "count": 5}``."""
    document = read_json(answer.body)
    count = document.get("count") if isinstance(document, dict) else document
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count < 2**53:
        raise BadAnswerError("the count of users is not a valid number")
    return count


def _read_caller(answer: Reply) -> dict[str, Any]:
    document = read_object(answer)
    if not any(isinstance(document.get(key), str) for key in ("_id", "userName", "email")):
        raise BadAnswerError("the answer does not say who is logged in")
    return document
