"""A server in trouble is given time, within limits."""

from __future__ import annotations

import signal
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnreachableError
from pipeline.settings import SourceSettings
from pipeline.sources.extract import ExtractJob
from pipeline.sources.sisense.extract import extract
from pipeline.spool import Spool
from tests.fakes.http import HttpServer, Reply, as_html, as_json
from tests.fakes.sisense import FakeSisense, accounts
from tests.sources.conftest import BY_PASSWORD, Extracting

TROUBLE = {
    "429": Reply(429, b"slow down", "text/plain"),
    "500": as_json({"error": {"message": "oops"}}, 500),
    "502": as_html("Bad gateway", 502),
    "503": Reply(503),
    "504": Reply(504, b'{"title": "timeout"}', "application/problem+json"),
    "reset": Reply(reset=True),
    "cut short": Reply(body=b"[" + b" " * 500 + b"]", cut=100),
    "bad gzip": Reply(body=b"[]", headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
def test_temporary_trouble_anywhere_costs_only_time(extracting: Extracting, trouble: Reply) -> None:
    with FakeSisense(accounts(230), fault=lambda r, nth: trouble if nth % 3 == 1 else None) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert done.ids == fake.ids
    assert done.waiting.slept
    assert max(done.waiting.slept) <= 20
    assert max(page.attempts for page in done.pages) == 2


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
def test_lasting_trouble_ends_after_max_attempts(extracting: Extracting, trouble: Reply) -> None:
    with FakeSisense(accounts(3), fault=lambda r, nth: trouble if r == "login" else None) as fake:
        done = extracting(fake, max_attempts=4)

    assert isinstance(done.error, UnreachableError)
    assert fake.seen["login"] == 4
    assert "/api/v1/authentication/login" in done.error.where
    assert len(done.waiting.slept) == 3


def test_a_connection_that_died_while_idle_is_replaced(extracting: Extracting) -> None:
    with FakeSisense(accounts(230)) as fake:
        answer = fake.server.answer
        fake.server.answer = lambda request: Reply(**{**vars(answer(request)), "hang_up": True})
        done = extracting(fake)

    assert done.failed == set()


def test_retry_after_is_obeyed(extracting: Extracting) -> None:
    wait = Reply(429, headers={"Retry-After": "37"})
    with FakeSisense(accounts(3), fault=lambda r, nth: wait if (r, nth) == ("users", 2) else None) as fake:
        done = extracting(fake)

    assert done.waiting.slept == [37]


def test_retry_after_may_be_a_date(extracting: Extracting) -> None:
    with FakeSisense(accounts(3)) as fake:
        soon: list[str] = []

        def fault(resource: str, nth: int) -> Reply | None:
            if (resource, nth) != ("users", 2):
                return None
            soon.append(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True))
            return Reply(503, headers={"Retry-After": soon[0]})

        fake.fault = fault
        done = extracting(fake)

    assert len(done.waiting.slept) == 1
    assert 50 <= done.waiting.slept[0] <= 61


@pytest.mark.parametrize("advice", ["100000", "-5", "nan", "inf", "soon", ""])
def test_an_absurd_retry_after_is_bounded(extracting: Extracting, advice: str) -> None:
    wait = Reply(429, headers={"Retry-After": advice})
    with FakeSisense(accounts(3), fault=lambda r, nth: wait if (r, nth) == ("users", 2) else None) as fake:
        done = extracting(fake)

    assert done.failed == set()
    assert 0 < done.waiting.slept[0] <= 120


def test_the_extract_gives_up_after_too_long_without_a_good_answer(extracting: Extracting) -> None:
    wait = Reply(503, headers={"Retry-After": "60"})
    with FakeSisense(accounts(30), fault=lambda r, nth: wait if r == "users" and nth > 2 else None) as fake:
        done = extracting(fake, max_attempts=1000, give_up_after_seconds=300, concurrency=1)

    assert isinstance(done.error, UnreachableError)
    assert "no good answer for" in done.error.message
    assert sum(done.waiting.slept) <= 300
    assert len(done.waiting.slept) == 5


def test_pages_read_before_the_source_failed_are_kept(extracting: Extracting) -> None:
    with FakeSisense(accounts(230), fault=lambda r, nth: Reply(503) if r == "users" and nth > 3 else None) as fake:
        done = extracting(fake, concurrency=1)

    assert isinstance(done.error, UnreachableError)
    assert len(done.ids) == 99  # two pages of 50, which share one
    assert done.observed("end_proven").result == "FAIL"


def test_fewer_requests_are_in_flight_when_the_server_pushes_back(extracting: Extracting) -> None:
    with FakeSisense(accounts(230), fault=lambda r, nth: Reply(429) if r == "users" and nth == 4 else None) as fake:
        done = extracting(fake, concurrency=8, page_size=10)

    assert done.failed == set()
    assert done.outcome.settings["least_concurrency"] == "4"


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_are_in_flight_than_are_allowed(extracting: Extracting, concurrency: int) -> None:
    with FakeSisense(accounts(230)) as fake:
        answer = fake.server.answer
        fake.server.answer = lambda request: Reply(**{**vars(answer(request)), "delay": 0.01})
        done = extracting(fake, concurrency=concurrency, objects="auto")

    assert done.failed == set()
    assert fake.server.most_at_once == concurrency


def test_a_server_that_keeps_pushing_back_gets_one_request_at_a_time(extracting: Extracting) -> None:
    with FakeSisense(accounts(230), fault=lambda r, nth: Reply(429) if r == "users" and nth % 2 else None) as fake:
        done = extracting(fake, concurrency=8, page_size=10)

    assert done.failed == set()
    assert done.outcome.settings["least_concurrency"] == "1"


def test_a_stalled_answer_is_requested_again(extracting: Extracting) -> None:
    stalled = Reply(body=b"[]", delay=5)
    with FakeSisense(accounts(3), fault=lambda r, nth: stalled if (r, nth) == ("users", 2) else None) as fake:
        done = extracting(fake, timeout_seconds=0.2)

    assert done.failed == set()


@pytest.mark.parametrize(
    ("url", "message"),
    [("http://127.0.0.1:1", "no connection"), ("https://no-such-host.invalid", "the host name is not known")],
)
def test_an_unreachable_host_says_what_to_do(extracting: Extracting, url: str, message: str) -> None:
    done = extracting(url, max_attempts=2)

    assert isinstance(done.error, UnreachableError)
    assert message in done.error.message
    assert "url" in done.error.hint
    assert done.outcome.error == str(done.error)


def test_https_at_a_plain_http_port_is_named(extracting: Extracting) -> None:
    with FakeSisense(accounts(3)) as fake:
        done = extracting(fake.url.replace("http:", "https:"))

    assert isinstance(done.error, UnreachableError)
    assert "http or https" in done.error.hint


def test_an_untrusted_certificate_is_refused_at_once_and_trusted_by_configuration(
    extracting: Extracting, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    path, context = certificate
    with FakeSisense(accounts(3), tls=context) as fake:
        untrusted = extracting(fake)
        asked = len(fake.server.requests)
        trusted = extracting(fake, ca_bundle=path)
        unverified = extracting(fake, verify_tls=False)

    assert isinstance(untrusted.error, UnreachableError)
    assert "ca_bundle" in untrusted.error.hint
    assert untrusted.waiting.slept == []
    assert asked == 0
    assert trusted.failed == set()
    assert unverified.failed == set()


def test_a_host_that_does_not_speak_http_is_an_error(extracting: Extracting) -> None:
    def nonsense(request: Any) -> Reply:
        return as_html("Welcome to nginx")

    with HttpServer(nonsense) as server:
        done = extracting(server.url, max_attempts=2)

    assert done.error is not None
    assert done.error.hint


def test_an_interrupt_ends_the_extract_at_once_and_leaves_no_outcome(tmp_path: Path) -> None:
    presses = iter([signal.SIGINT])  # once: a second one would not wait until the requests under way are closed

    def interrupt(resource: str, items: int, total: int | None) -> None:
        if items > 100 and (press := next(presses, None)):
            signal.raise_signal(press)

    spool = Spool.create(tmp_path / "spool")
    with FakeSisense(accounts(5000)) as fake:
        source = SourceSettings(name="prod", kind="sisense", url=fake.url, page_size=50)
        with pytest.raises(KeyboardInterrupt):
            extract(ExtractJob(source, spool, interrupt), BY_PASSWORD)
        spool.close()

    assert fake.seen["users"] < 20
    assert spool.outcomes() == []
