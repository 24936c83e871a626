"""What stands in front of every request, over real HTTP: which requests it lets through, and with which headers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pipeline.errors import UsageError
from pipeline.web.attempts import AttemptLimits
from pipeline.web.guard import MAX_BODY, SESSION, Guard, answer_refusal
from pipeline.web.origin import PublicOrigin, network_address
from pipeline.web.refusal import RefusedRequest, RequestRefusedError
from tests.web.served import Served

COOKIE, CSRF = "a-cookie", "a-token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Person:
    email: str = "ann@example.com"
    csrf: str = CSRF


class Door:
    """A store with one session, and a clock that a test can move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 29, 12, tzinfo=UTC)
        self.refusals: list[tuple[str, str, str]] = []

    def session(self, cookie: str, now: datetime, *, is_use: bool) -> Person | None:
        return Person() if cookie == COOKIE else None

    def record_refusal(self, kind: str, detail: str, address: str, now: datetime) -> None:
        self.refusals.append((kind, detail, address))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.refusals]


class Page:
    """A guarded application, its address, and what reached it."""

    def __init__(self, served: Served, *, base_url: str | None = None, **limits: int) -> None:
        self.door = Door()
        self.url = served.url
        # the server closes connections after an error, or where it did not read a form to its end
        self.http = httpx.Client(base_url=self.url, limits=httpx.Limits(max_keepalive_connections=0))
        self.reached: list[tuple[str, dict[str, str]]] = []
        self.origin = PublicOrigin.of("q4", (served.host, served.port), base_url=base_url, is_tls=False)
        app = Starlette(
            routes=[Route("/{path:path}", self._reach, methods=["GET", "POST"])],
            exception_handlers={RequestRefusedError: answer_refusal},
        )
        served.app = Guard(
            app, self.door, self.origin, _said, clock=lambda: self.door.now, limits=AttemptLimits(**limits)
        )

    async def _reach(self, request: Request) -> Response:
        if request.url.path == "/broken":
            raise RuntimeError
        if request.url.path == "/link/guess":
            raise RequestRefusedError(RefusedRequest(403, "link", "", "No", "No such link.", is_guess=True))
        self.reached.append((request.method, request.state.form))
        return PlainTextResponse(request.state.address)

    @property
    def cookies(self) -> dict[str, str]:
        return {"Cookie": f"{self.origin.cookie_name(SESSION)}={COOKIE}"}

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.http.get(path, headers=headers)

    def post(self, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
        return self.http.post("/decide", headers=self.cookies | (headers or {}), data=form)


def _said(request: Request, refusal: RefusedRequest) -> Response:
    return PlainTextResponse(f"{refusal.title}\n{refusal.text}\n{refusal.hint}", refusal.status)


@pytest.fixture
def page() -> Iterator[Page]:
    served = Served()
    page = Page(served, per_key=3, overall=5)
    with served, page.http:
        yield page


def test_a_form_with_the_token_of_its_session_is_let_through(page: Page) -> None:
    assert page.post({"Origin": page.url, "Sec-Fetch-Site": "same-origin"}, csrf=CSRF, reason="Ü & ö").is_success
    assert page.post({"X-CSRF-Token": CSRF}, reason="").is_success
    assert page.reached == [("POST", {"csrf": CSRF, "reason": "Ü & ö"}), ("POST", {"reason": ""})]
    assert page.door.refusals == []


@pytest.mark.parametrize("token", [None, "", "another", CSRF + "x"])
def test_a_form_without_the_token_of_its_session_changes_nothing(page: Page, token: str | None) -> None:
    answer = page.post({"Origin": page.url}, reason="r", **({} if token is None else {"csrf": token}))
    assert (answer.status_code, page.reached, page.door.kinds) == (403, [], ["csrf"])
    assert "signed in as ann@example.com" in page.door.refusals[0][1]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this host
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    ],
    ids=str,
)
def test_a_form_of_another_site_is_refused_even_with_the_token(page: Page, headers: dict[str, str]) -> None:
    answer = page.post(headers, csrf=CSRF)
    assert (answer.status_code, page.reached, page.door.kinds) == (403, [], ["cross_site"])


def test_a_page_that_sends_no_referrer_is_still_ours(page: Page) -> None:
    assert page.post({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, csrf=CSRF).is_success


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", "", "e/x?"])
def test_a_name_that_the_page_is_not_served_at_is_refused(page: Page, host: str) -> None:
    answer = page.get("/link/secret", {"Host": host} | page.cookies)
    assert (answer.status_code, page.reached, page.door.kinds) == (400, [], ["host"])
    assert "secret" not in page.door.refusals[0][1]


def test_without_a_session_only_signing_in_is_reached(page: Page) -> None:
    assert page.get("/").headers["Location"] == "/sign-in"
    assert page.get("/card/1").status_code == 303
    assert page.http.post("/decide", data={"csrf": CSRF}).status_code == 401
    assert page.reached == []
    for path in ("/sign-in", "/link/x", "/static/review.css"):
        assert page.get(path).is_success
    assert page.http.post("/link", data={"token": "t"}).is_success
    assert page.get("/", page.cookies).is_success


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(page: Page, method: str) -> None:
    answer = page.http.request(method, "/", headers=page.cookies)
    assert (answer.status_code, page.reached, page.door.kinds) == (405, [], ["method"])


def test_only_small_forms_are_read(page: Page) -> None:
    assert page.post(csrf=CSRF, reason="x" * (MAX_BODY - 100)).is_success
    assert page.post(csrf=CSRF, reason="x" * MAX_BODY).status_code == 413

    chunked = page.http.post("/decide", headers=page.cookies | FORM, content=(b"x" * 10_000 for _ in range(10)))
    assert chunked.status_code == 413
    assert len(page.reached) == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", b"{}"), ("text/plain", b"csrf=a-token"), ("multipart/form-data; boundary=b", b"--b--")],
)
def test_what_is_no_form_of_ours_is_refused(page: Page, kind: str, body: bytes) -> None:
    answer = page.http.post("/decide", headers=page.cookies | {"Content-Type": kind}, content=body)
    assert (answer.status_code, page.reached) == (415, [])


def test_bytes_that_are_no_text_are_refused(page: Page) -> None:
    for body in (b"csrf=a-token&reason=%ff", b"csrf=a-token&reason=\xff"):
        assert page.http.post("/d", headers=page.cookies | FORM, content=body).status_code == 415


def test_guesses_are_limited_by_address_and_in_all(page: Page) -> None:
    assert [page.get("/link/guess").status_code for _ in range(4)] == [403, 403, 403, 429]
    limited = page.get("/link/guess")
    assert limited.headers["Retry-After"] == "600"
    assert "Wait 10 minutes" in limited.text
    assert page.get("/sign-in").status_code == 429
    # a colleague behind the same address who is signed in goes on working
    assert page.post(csrf=CSRF).is_success
    assert page.door.kinds == ["link"] * 3

    page.door.now += timedelta(minutes=10)
    assert page.get("/sign-in").is_success


def test_what_another_site_does_keeps_no_reviewer_out_and_fills_no_log(page: Page) -> None:
    for _ in range(6):
        assert page.post({"Sec-Fetch-Site": "cross-site"}, csrf=CSRF).status_code == 403
        assert page.http.post("/decide").status_code == 401
    assert page.post(csrf=CSRF).is_success
    assert page.get("/sign-in").is_success
    assert page.door.kinds == ["cross_site", "signed_out"] * 2 + ["cross_site"]  # three of each, five in all


def test_the_limit_of_all_addresses_holds_while_few_are_remembered(page: Page) -> None:
    limits = AttemptLimits(per_key=3, overall=5, remembered=10)
    for number in range(100):
        limits.record(f"192.0.2.{number}", page.door.now)
    assert limits.seconds_to_wait("198.51.100.1", page.door.now) == 600
    assert limits.seconds_to_wait("ann@example.com", page.door.now, is_known=True) == 0
    assert limits.remembered == 10


def test_every_answer_has_the_headers(page: Page) -> None:
    for answer in (
        page.get("/", page.cookies),
        page.get("/sign-in"),
        page.get("/", {"Host": "evil.example"}),
        page.get("/broken", page.cookies),
    ):
        policy = answer.headers["Content-Security-Policy"]
        for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in answer.headers
    assert page.get("/broken", page.cookies).status_code == 500


def test_a_visitor_cannot_invent_an_address_unless_a_proxy_stands_between() -> None:
    claimed = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
    for base_url, seen in ((None, "127.0.0.1"), ("https://reviews.example.com", "198.51.100.7")):
        served = Served()
        page = Page(served, base_url=base_url)
        with served, page.http:
            assert page.get("/sign-in", claimed).text == seen
    # a proxy on another machine is a visitor like any other
    assert network_address("192.0.2.1", ["198.51.100.7"], has_proxy=True) == "192.0.2.1"
    assert network_address("127.0.0.1", ["nonsense"], has_proxy=True) == "127.0.0.1"
    assert network_address("::ffff:192.0.2.1", [], has_proxy=False) == "192.0.2.1"


def test_cookies_say_how_browsers_must_treat_them() -> None:
    plain = PublicOrigin.of("q4", ("127.0.0.1", 8000), base_url=None, is_tls=False)
    assert plain.url == "http://127.0.0.1:8000"
    cookie = plain.set_cookie(SESSION, "value", seconds=60)
    assert cookie == f"{plain.cookie_name(SESSION)}=value; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"

    for secure in (
        PublicOrigin.of("q4", ("127.0.0.1", 8000), base_url="https://reviews.example.com", is_tls=False),
        PublicOrigin.of("q4", ("192.0.2.1", 443), base_url=None, is_tls=True),
    ):
        cookie = secure.set_cookie(SESSION, "value", seconds=60)
        assert cookie.startswith("__Host-review-")
        assert cookie.endswith("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure")
    other = PublicOrigin.of("q3", ("127.0.0.1", 8001), base_url=None, is_tls=False)
    assert other.cookie_name(SESSION) != plain.cookie_name(SESSION)  # browsers share cookies between ports


def test_a_page_at_every_address_needs_its_name() -> None:
    with pytest.raises(UsageError, match="every address"):
        PublicOrigin.of("q4", ("0.0.0.0", 8000), base_url=None, is_tls=False)
    origin = PublicOrigin.of("q4", ("0.0.0.0", 8000), base_url="https://reviews.example.com", is_tls=False)
    assert origin.serves("reviews.example.com")
    assert origin.serves("127.0.0.1:8000")
    assert not origin.serves("192.0.2.1:8000")


def test_a_form_that_never_ends_does_not_hold_the_server(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.web.guard.BODY_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", int(page.url.rpartition(":")[2]))) as connection:
        host = page.url.removeprefix("http://")
        head = f"POST /decide HTTP/1.1\r\nHost: {host}\r\nCookie: {page.cookies['Cookie']}\r\n"
        connection.sendall(
            (head + f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: 50\r\n\r\ncsrf").encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 408")
    assert page.reached == []
