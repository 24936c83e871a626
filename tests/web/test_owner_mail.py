"""The owner of a campaign reminds reviewers and hands items over on the page, and the mails go out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pipeline.review.store import ReviewStore
from pipeline.review.store.sessions import csrf_token
from pipeline.settings import load_settings
from pipeline.web.app import create_app
from pipeline.web.entrance import guarded
from pipeline.web.guard import SESSION
from pipeline.web.origin import PublicOrigin
from tests.fakes.mail import FakeMailServer
from tests.web.campaigns import OWNER, REVIEWER, make_store
from tests.web.served import Served

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
Owner = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> ReviewStore:
    return make_store(tmp_path / "review.sqlite", people=3, items=2)


@pytest.fixture
def mail() -> Iterator[FakeMailServer]:
    with FakeMailServer().running() as fake:
        yield fake


@pytest.fixture
def post(store: ReviewStore, mail: FakeMailServer, tmp_path: Path) -> Iterator[Owner]:
    """Return a function that sends a form as the owner, and gives the text of the page that follows."""
    served = Served()
    (tmp_path / "access-review.toml").write_text(
        f'[web]\nbase_url = "{served.url}"\nowners = ["{OWNER}"]\n'
        f'[mail]\nfrom = "ar@example.com"\nsmtp_url = "smtp://127.0.0.1:{mail.port}"\n',
        encoding="utf-8",
    )
    settings = load_settings(tmp_path / "access-review.toml")
    origin = PublicOrigin.of("2026-Q4", (served.host, served.port), base_url=served.url, is_tls=False)
    served.app = guarded(create_app(store, settings, {}, clock=lambda: NOW), origin)
    token = store.issue_link(OWNER, is_owner=True, valid_days=1, now=NOW)
    cookie = store.sign_in_by_link(token, NOW).cookie
    with served, httpx.Client(base_url=served.url, follow_redirects=True) as client:
        client.headers["Origin"] = served.url
        client.cookies.set(origin.cookie_name(SESSION), cookie)
        yield lambda path, **form: client.post(path, data={"csrf": csrf_token(cookie), **form}).text


def test_reminders_go_out_once_a_day_and_failures_are_named(
    store: ReviewStore, mail: FakeMailServer, post: Owner
) -> None:
    mail.refusals[REVIEWER] = "550 5.1.1 No such user"
    failed = post("/campaign/remind")
    mail.refusals.clear()
    sent, again = post("/campaign/remind"), post("/campaign/remind")

    assert f"Not sent to {REVIEWER}: the mail server refused the recipient: 550 5.1.1 No such user." in failed
    assert "1 reminder sent." in sent
    assert "1 reminder sent earlier today." in again
    assert mail.recipients == [REVIEWER]
    assert [message.kind for message in store.mails() if message.delivery == "sent"] == ["reminder"]


def test_the_new_reviewer_gets_a_mail_with_a_link(store: ReviewStore, mail: FakeMailServer, post: Owner) -> None:
    form = {"from": REVIEWER, "to": "Eve@example.com", "reason": "on leave", "which": "all"}
    page = post("/campaign/reassign", **form)

    assert "6 items handed to eve@example.com. They got a mail with a link." in page
    assert store.progress("eve@example.com").items == 6
    [message] = mail.mails("eve@example.com")
    assert "Reason: on leave" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_items_are_handed_over_even_if_the_mail_fails(store: ReviewStore, mail: FakeMailServer, post: Owner) -> None:
    mail.refusals["eve@example.com"] = "451 4.7.1 Try again later"

    page = post("/campaign/reassign", **{"from": REVIEWER, "to": "eve@example.com", "reason": "x", "which": "all"})

    assert "The mail to them was not sent; a reminder reaches them." in page
    assert store.progress("eve@example.com").items == 6
