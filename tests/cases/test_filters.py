"""Servers that refuse, ignore or misapply the filters of their list: existing accounts are found all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pipeline import resources
from pipeline.errors import ContentError
from pipeline.remediation.guards import Guards
from pipeline.settings import Secret, SourceSettings
from pipeline.sources.accounts import Writer
from pipeline.sources.scim.endpoint import ScimEndpoint
from pipeline.sources.sisense.writing import connected
from pipeline.sources.transport import Client
from pipeline.warehouse.policy import PolicyFiles
from tests.cases.case import Case, each
from tests.fakes.http import HttpServer, Reply, Request, as_html, as_json
from tests.fakes.scim import TOKEN, RealScim
from tests.fakes.sisense import ADMIN_ROLE, FakeSisense, account
from tests.sources.conftest import BY_PASSWORD, Waiting

ADMINS = 30
#: What a server may take for a filter.
KEYS = ("userName", "email", "roleId")
Users = list[dict[str, Any]]
Filter = Callable[[Users, str, str], Users]


def people() -> Users:
    users = [account(number) for number in range(1, 161)]
    for user in users[-ADMINS:]:
        user["roleId"] = ADMIN_ROLE
    users[70]["email"] = "Shared@Example.com"
    users[150]["email"] = "shared@example.com"
    return users


class Filtering(FakeSisense):
    """A Sisense with filters, which may be unusual; ``refusal`` is the reply to every filtered request."""

    def __init__(self, kept: Filter, refusal: Reply | None = None, **options: Any) -> None:
        super().__init__(people(), **options)
        self._kept = kept
        self._refusal = refusal

    def reply(self, resource: str, request: Request) -> Reply:
        asked = {key: value for key, value in request.query.items() if key in KEYS}
        if resource != "users" or not asked:
            return super().reply(resource, request)
        if self._refusal is not None:
            return self._refusal
        ((key, value),) = asked.items()
        everybody, self.users = self.users, self._kept(self.users, key, value)
        try:
            plain = {name: text for name, text in request.query.items() if name not in KEYS}
            return super().reply(resource, Request("GET", request.path, plain, request.headers, b"", 0))
        finally:
            self.users = everybody


def honoured(users: Users, key: str, value: str) -> Users:
    return [user for user in users if user[key].lower() == value.lower()]


def exact(users: Users, key: str, value: str) -> Users:
    return [user for user in users if user[key] == value]


def contained(users: Users, key: str, value: str) -> Users:
    return [user for user in users if value.lower() in user[key].lower()]


def ignored(users: Users, _: str, __: str) -> Users:
    return users


def nothing(_: Users, __: str, ___: str) -> Users:
    return []


def refused(status: int) -> Callable[[], Filtering]:
    return lambda: Filtering(ignored, as_json({"code": status, "message": "unknown query parameter"}, status))


SERVERS = [
    Case("filter", "honoured", "found", lambda: Filtering(honoured)),
    Case("filter", "honoured, and a page has 10 at most", "found", lambda: Filtering(honoured, cap=10)),
    Case("filter", "answered with 422", "found", refused(422)),
    Case("filter", "answered with 400", "found", refused(400)),
    Case("filter", "answered with 422, and a page has 10 at most", "found", lambda: _capped(refused(422)())),
    Case("filter", "ignored", "found", lambda: Filtering(ignored)),
    Case("filter", "ignored, and a page has 10 at most", "found", lambda: Filtering(ignored, cap=10)),
    Case("filter", "ignored, like skip", "found", lambda: Filtering(ignored, ignores_skip=True)),
    Case(
        "filter",
        "ignored, like skip and limit",
        "found",
        lambda: Filtering(ignored, ignores_skip=True, ignores_limit=True),
    ),
    Case("filter", "taken for a part of the value", "found", lambda: Filtering(contained)),
    Case("filter", "answered with nothing, always", "found", lambda: Filtering(nothing)),
    Case("filter", "ignored where the server has no count", "found", lambda: Filtering(ignored, has_count=False)),
]


def _capped(fake: Filtering) -> Filtering:
    fake.cap = 10
    return fake


def look(fake: FakeSisense, *queries: dict[str, str]) -> list[list[str]]:
    """Look up accounts, one query after the other; return the numbers of those found."""

    async def work() -> list[list[str]]:
        waiting = Waiting()
        source = SourceSettings(name="prod", kind="sisense", url=fake.url, page_size=50, max_attempts=2)
        async with connected(source, BY_PASSWORD, clock=waiting.clock, sleep=waiting.sleep) as writer:
            found = [await writer.accounts(**query) for query in queries]
            return [sorted(str(int(one.account_id, 16)) for one in accounts) for accounts in found]

    return asyncio.run(work())


@each(SERVERS)
def test_an_account_is_found_exactly_if_it_exists(case: Case) -> None:
    with case.content() as fake:
        named, shared, admins, nobody, again = look(
            fake,
            {"userName": "user160@example.com"},
            {"email": "shared@example.com"},
            {"roleId": ADMIN_ROLE},
            {"userName": "nobody@example.com"},
            {"userName": "USER7@example.com"},
        )

    assert (named, nobody, again) == (["160"], [], ["7"])
    assert shared == ["151", "71"]
    assert len(admins) == ADMINS


def test_a_case_sensitive_filter_finds_every_spelling_and_reads_the_list_once() -> None:
    with Filtering(exact) as fake:
        named, nobody, nobody_else, shared = look(
            fake,
            {"userName": "USER160@example.com"},
            {"userName": "nobody@example.com"},
            {"userName": "nobody.else@example.com"},
            {"email": "SHARED@example.com"},
        )

    assert (named, nobody, nobody_else, shared) == (["160"], [], [], ["151", "71"])
    assert fake.seen["users"] < 40


def test_without_reliable_filters_and_pages_no_account_counts_as_absent() -> None:
    with Filtering(ignored, ignores_skip=True, cap=20) as fake, pytest.raises(ContentError) as caught:
        look(fake, {"userName": "user160@example.com"})

    assert "the list is not reliable" in caught.value.message


def test_a_web_page_instead_of_a_filtered_list_is_an_error() -> None:
    with Filtering(ignored, as_html()) as fake, pytest.raises(ContentError):
        look(fake, {"userName": "user160@example.com"})


@pytest.fixture
def policy() -> PolicyFiles:
    return PolicyFiles(resources.reference_data(), None, ("example.com",))


@each([case for case in SERVERS if "skip and limit" not in case.given])
def test_the_last_administrator_guard_sees_the_other_administrators(case: Case, policy: PolicyFiles) -> None:
    async def refusal(fake: FakeSisense) -> list[str | None]:
        waiting = Waiting()
        source = SourceSettings(name="prod", kind="sisense", url=fake.url, page_size=50, max_attempts=2)
        async with connected(source, BY_PASSWORD, clock=waiting.clock, sleep=waiting.sleep) as writer:
            reasons = []
            for others in (True, False):
                if not others:
                    for user in fake.users[:-1]:
                        user["roleId"] = "0" * 24
                reasons.append(await _refused(writer, fake.users[-1]["_id"], policy))
            return reasons

    with case.content() as fake:
        allowed, last = asyncio.run(refusal(fake))

    assert allowed is None
    assert last == "it would be the last active administrator"


async def _refused(writer: Writer, account_id: str, policy: PolicyFiles) -> str | None:
    administrators = await writer.accounts(roleId=ADMIN_ROLE)
    one = next(found for found in administrators if found.account_id == account_id)
    refusal = await Guards(writer, await writer.roles(), policy).refuse(one, removes_privilege=True)
    return refusal.reason if refusal else None


def find(fake: RealScim, name: str, page_size: int) -> list[str]:
    async def work() -> list[str]:
        waiting = Waiting()
        source = SourceSettings(name="idp", kind="scim", url=f"{http.url}/scim/v2", page_size=page_size)
        async with Client(source, clock=waiting.clock, sleep=waiting.sleep) as client:
            found = await ScimEndpoint(client, Secret(TOKEN)).find("/Users", "userName", name)
            return [str(record["userName"]) for record in found]

    with HttpServer(fake.answer) as http:
        return asyncio.run(work())


def _unfiltered(status: int | None, *, at_start: bool = False, cap: int = 1000) -> Callable[[Request, Any], Any]:
    def meddle(_: Request, query: dict[str, str]) -> Reply | None:
        if "filter" in query and status is not None:
            return Reply(status, b'{"scimType": "invalidFilter"}')
        query.pop("filter", None)
        query["count"] = str(min(cap, int(query["count"])))
        if at_start:
            query["startIndex"] = "1"
        return None

    return meddle


ENDPOINTS = [
    Case("scim filter", "refused with 400", "found", _unfiltered(400)),
    Case("scim filter", "refused with 501", "found", _unfiltered(501, cap=7)),
    Case("scim filter", "ignored", "found", _unfiltered(None, cap=7)),
    Case("scim filter", "ignored, like startIndex", "found", _unfiltered(None, at_start=True)),
    Case("scim filter", "ignored, like startIndex, and few a page", "error", _unfiltered(None, at_start=True, cap=7)),
]


@each(ENDPOINTS)
def test_an_existing_scim_user_never_counts_as_absent(case: Case) -> None:
    fake = RealScim(40, 1)
    fake.before = case.content

    if case.outcome == "error":
        with pytest.raises(ContentError, match="counts 40 records and shows 7"):
            find(fake, "nobody@example.com", 10)  # which seven the server shows is its own choice
    else:
        assert find(fake, "USER39@example.com", 10) == ["user39@example.com"]
        assert find(fake, "nobody@example.com", 10) == []
