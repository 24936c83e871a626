"""One Sisense: which API is there, and where its endpoints are.

Documents disagree about addresses and parameters, so every endpoint is looked for: an address counts as absent only
when it says so twice (404, 405, 410, 501) or keeps answering with something else than data, never after one failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pipeline.errors import ContentError, LoginError, UnreachableError
from pipeline.sources.connection import Answer
from pipeline.sources.errors import BadAnswerError, RedirectedError, RefusedError, UnreadableError
from pipeline.sources.records import Records, read_json, read_records
from pipeline.sources.sisense.session import Session
from pipeline.sources.transport import Client
from pipeline.spool import Principal

__all__ = ["LOSSES", "Endpoint", "Found", "SisenseApi", "read_count", "read_page"]

_T = TypeVar("_T")

#: What the report loses where an endpoint does not exist, by resource.
LOSSES = {
    "status": "the server's version is not known",
    "loggedin": "the caller's own role cannot be read, so nothing says whether it sees every account",
    "users_count": "no independent count: the end of the list rests on two agreeing sweeps",
    "roles": "roles have no names, no rank and no permissions: every account counts as unclassified",
    "groups": "groups have no names, and their roles are unknown",
    "group_members": "memberships that only the group side knows are missing",
}
#: Endpoints that may fail like one that is absent: the completeness checks are the stricter for it.
_DISPENSABLE = frozenset({"loggedin", "users_count"})
_BASES = {"v1": ("/api/v1",), "v0.9": ("/api", "/api/v0.9"), "auto": ("/api/v1", "/api", "/api/v0.9")}
_API_NAMES = {"/api/v1": "v1", "/api": "v0.9 at /api", "/api/v0.9": "v0.9 at /api/v0.9"}
#: A clear no to an address; a redirect to another host is one too.
_ABSENT = frozenset({302, 404, 405, 410, 501})
_NO_PAGE: Mapping[str, int] = {}
_UNKNOWN_KEYS = frozenset({400, 422})
#: How often an address that is being looked for may answer nonsense before the next one is tried.
_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that exists, and the optional query keys it takes."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found(Generic[_T]):
    """An endpoint, and what it answered when it was found."""

    endpoint: Endpoint
    answer: Answer
    value: _T


@dataclass(frozen=True, slots=True)
class _Wanted(Generic[_T]):
    """An endpoint that is looked for: where it may be, and with which optional query keys, the most wanted first."""

    resource: str
    paths: Sequence[str]
    queries: Sequence[Mapping[str, str]]
    read: Callable[[Answer], _T]
    page: Mapping[str, int]


class SisenseApi:
    """One Sisense: finds endpoints and reads them. ``note`` hears of every answer that holds no records."""

    def __init__(self, client: Client, session: Session, note: Callable[[Answer, str], None]) -> None:
        self.client = client
        self.session = session
        self.missing: dict[str, str] = {}
        self.version: str | None = None
        self.base: str | None = None
        self.users: Endpoint | None = None
        self.skew_seconds: float | None = None
        self._note = note
        self._sent_on: RedirectedError | None = None

    @property
    def api(self) -> str | None:
        """Return the flavour found, in words."""
        return _API_NAMES[self.base] if self.base else None

    async def read_status(self) -> None:
        """Ask for the version, which needs no login; many servers do not have it."""
        try:
            answer, status = await self.client.ask("/api/v1/application/status", read_object, attempts=_LOOKS)
        except (RefusedError, UnreadableError, UnreachableError):
            if not self.client.has_answered:
                raise
            self.missing["status"] = LOSSES["status"]
            return
        self._note(answer, "status")
        version = status.get("version")
        version = version.get("version") if isinstance(version, dict) else version
        self.version = self._text(version)

    async def find_users(self) -> Endpoint:
        """Find the list of accounts, and with it the flavour of the API.

        Raises:
            SourceError: it is nowhere, or not for this caller.
        """
        bases = _BASES[self.client.source.api]
        paths = [f"{base}/users" for base in bases]
        found = await self._find(_Wanted("users", paths, [{"sort": "_id"}, {}], read_page, {"skip": 0, "limit": 1}))
        if found is None and self._sent_on is not None:
            raise ContentError(
                f"the list of users is not to be had: {self._sent_on.message}",
                where=self._sent_on.where,
                hint="let the API through whatever signs people in before the server, or correct 'url'",
            )
        if found is None:
            raise ContentError(
                "there is no list of users where one was looked for",
                where=self.client.where("GET", f"{self.client.source.url} ({', '.join(paths)})"),
                hint="check 'url' (with its tenant prefix, if it has one) and 'api'",
            )
        self._note(found.answer, "probe")
        self.base = found.endpoint.path.removesuffix("/users")
        self.users = found.endpoint
        return found.endpoint

    async def find_optional(
        self,
        resource: str,
        suffix: str,
        queries: Sequence[Mapping[str, str]],
        read: Callable[[Answer], _T],
        page: Mapping[str, int] = _NO_PAGE,
    ) -> Found[_T] | None:
        """Find an endpoint that may be absent: the flavour's own lists first, all else where every client has it."""
        bases = [self.base or "/api", "/api"] if resource == "groups" else ["/api", self.base or "/api"]
        paths = [f"{base}/{suffix}" for base in dict.fromkeys([*bases, "/api/v1", "/api/v0.9"])]
        try:
            found = await self._find(_Wanted(resource, paths, queries, read, page))
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
        """Ask who the credential belongs to; where nothing says so, take what the login said."""
        found = await self.find_optional("loggedin", "users/loggedin", [{}], _read_caller)
        if found is None:
            return self._principal(self.session.profile)
        self._note(found.answer, "loggedin")
        return self._principal(found.value)

    async def find_count(self) -> Endpoint | None:
        """Find the server's own count of accounts."""
        found = await self.find_optional("users_count", "users/count", [{}], read_count)
        if found is None:
            return None
        self._note(found.answer, "users_count")
        return found.endpoint

    async def find_groups(self) -> Endpoint | None:
        """Find the list of groups, with the members if the server can give them."""
        queries = [{"expand": "users", "sort": "_id"}, {"expand": "users"}, {}]
        found = await self.find_optional("groups", "groups", queries, read_page, {"skip": 0, "limit": 1})
        if found is None:
            return None
        if "expand" not in found.endpoint.query:
            self.missing["group_members"] = LOSSES["group_members"]
        self._note(found.answer, "probe")
        return found.endpoint

    async def read_roles(self) -> Found[Records] | None:
        """Read the roles, which come in one answer, with their permissions if the server can give them."""
        queries = [{"includeManifest": "true", "includeBaseRolesName": "true"}, {}]
        return await self.find_optional("roles", "roles", queries, self.read_records)

    def read_records(self, answer: Answer) -> Records:
        """Read an answer that must be a list of records, and take out what must not be kept."""
        return read_records(answer.body, self.client.secrets)

    async def get(
        self, endpoint: Endpoint, read: Callable[[Answer], _T], query: Mapping[str, str | int] | None = None
    ) -> tuple[Answer, _T]:
        """Read an endpoint that was found."""
        answer, value = await self.client.ask(
            endpoint.path, read, query={**(query or {}), **endpoint.query}, authority=self.session
        )
        self._see_clock(answer)
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
        return self.client.hide(value) if isinstance(value, str) and value else None

    async def _find(self, wanted: _Wanted[_T]) -> Found[_T] | None:
        """Try the addresses in turn; those that answered nonsense are asked once more, with the whole budget.

        Raises:
            UnreadableError: the endpoint is nowhere, and this is what answered in its place.
        """
        unsure: list[str] = []
        for path in wanted.paths:
            try:
                found = await self._look(wanted, path, _LOOKS)
            except UnreadableError:
                unsure.append(path)
                continue
            if found is not None:
                return found
        instead: UnreadableError | None = None
        for path in unsure:
            try:
                found = await self._look(wanted, path, None)
            except UnreadableError as error:
                instead = instead or error
                continue
            if found is not None:
                return found
        if instead is not None:
            raise instead
        return None

    async def _look(self, wanted: _Wanted[_T], path: str, attempts: int | None) -> Found[_T] | None:
        """Look at one address, with the optional query keys and then with fewer; null if it is absent."""
        queries = list(wanted.queries)
        said_no = False
        while True:
            try:
                answer, value = await self.client.ask(
                    path,
                    wanted.read,
                    query={**wanted.page, **queries[0]},
                    authority=self.session,
                    attempts=attempts,
                )
            except RefusedError as error:
                if isinstance(error, RedirectedError):
                    self._sent_on = error
                if error.status in _UNKNOWN_KEYS and len(queries) > 1:
                    del queries[0]
                elif error.status not in _ABSENT | _UNKNOWN_KEYS:
                    raise
                elif said_no:
                    return None
                else:
                    said_no = True
                continue
            self._see_clock(answer)
            return Found(Endpoint(path, queries[0]), answer, value)

    def _see_clock(self, answer: Answer) -> None:
        if self.skew_seconds is None:
            self.skew_seconds = answer.skew_seconds


def _number_as_text(value: object) -> object:
    """Return an id as the rest of the program has it: some servers write numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def read_page(answer: Answer) -> Records:
    """Read an answer that must be a list of records, without regard to credentials in it."""
    return read_records(answer.body)


def read_object(answer: Answer) -> dict[str, Any]:
    document = read_json(answer.body)
    if not isinstance(document, dict):
        raise BadAnswerError("something else than an object came")
    return document


def read_count(answer: Answer) -> int:
    """Read an answer that must be a count: ``{"collection": "users", "count": 5}``."""
    document = read_json(answer.body)
    count = document.get("count") if isinstance(document, dict) else document
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count < 2**53:
        raise BadAnswerError("the count of users is not a number that a count can be")
    return count


def _read_caller(answer: Answer) -> dict[str, Any]:
    document = read_object(answer)
    if not any(isinstance(document.get(key), str) for key in ("_id", "userName", "email")):
        raise BadAnswerError("the answer does not say who is logged in")
    return document
