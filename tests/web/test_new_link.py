"""A reviewer whose link no longer works has a new one mailed, and no one else can do anything with that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from pipeline.settings import MailSettings
from tests.fakes.mail import FakeMailServer
from tests.web.attacked import COLLEAGUE, REVIEWER, AttackedPage


@pytest.fixture
def mail() -> Iterator[FakeMailServer]:
    with FakeMailServer().running() as fake:
        yield fake


@pytest.fixture
def page(tmp_path: Path, mail: FakeMailServer) -> Iterator[AttackedPage]:
    settings = MailSettings(sender="ar@example.com", smtp_url=f"smtp://127.0.0.1:{mail.port}")
    with AttackedPage(tmp_path, mail=settings) as page:
        yield page


def ask(page: AttackedPage, token: str) -> httpx.Response:
    return page.client().post("/link/again", data={"token": token})


def test_a_used_link_can_be_replaced_by_mail_once_a_day(page: AttackedPage, mail: FakeMailServer) -> None:
    token = page.link()
    page.client().post("/link", data={"token": token})
    page.now += timedelta(hours=20)  # the session has ended

    refused = page.client().get(f"/link/{token}")
    assert refused.status_code == 403
    assert "Mail me a new link" in refused.text
    assert "A new link is in your mail" in ask(page, token).text
    assert "today already" in ask(page, token).text
    assert mail.recipients == [REVIEWER]

    body = mail.mails(REVIEWER)[0].get_body(("plain",)).get_content()
    newer = re.search(r"/link/([\w-]{120})", body)
    assert newer is not None
    assert page.client().post("/link", data={"token": newer[1]}).status_code == 303
    page.now += timedelta(days=1)
    assert "A new link is in your mail" in ask(page, token).text


def test_an_expired_link_can_be_replaced(page: AttackedPage, mail: FakeMailServer) -> None:
    token = page.link(COLLEAGUE)
    page.now += timedelta(days=15)
    assert "Mail me a new link" in page.client().get(f"/link/{token}").text
    ask(page, token)
    assert mail.recipients == [COLLEAGUE]


def test_only_a_link_that_was_sent_gives_a_mail(page: AttackedPage, mail: FakeMailServer) -> None:
    good = page.link()
    for token in ("", "A" * 120, good[:-1] + ("A" if good[-1] != "A" else "B")):
        answer = ask(page, token)
        assert (answer.status_code, "Mail me" in answer.text) == (403, False)
    assert ask(page, good).headers["Location"] == f"/link/{good}"  # it still works
    assert page.refusals() == ["link"] * 3
    used = page.link(COLLEAGUE)
    page.client().post("/link", data={"token": used})
    other_site = {"Sec-Fetch-Site": "cross-site"}
    assert page.client().post("/link/again", data={"token": used}, headers=other_site).status_code == 403
    assert mail.recipients == []


def test_without_a_mail_server_the_owner_is_asked(tmp_path: Path) -> None:
    with AttackedPage(tmp_path) as page:
        token = page.link()
        page.client().post("/link", data={"token": token})
        assert "Mail me" not in page.client().get(f"/link/{token}").text
        assert ask(page, token).status_code == 403


def test_a_mail_that_cannot_be_sent_is_said(tmp_path: Path, mail: FakeMailServer) -> None:
    mail.refusals[REVIEWER] = "550 5.1.1 No such user"
    settings = MailSettings(sender="ar@example.com", smtp_url=f"smtp://127.0.0.1:{mail.port}")
    with AttackedPage(tmp_path, mail=settings) as page:
        token = page.link()
        page.client().post("/link", data={"token": token})
        answer = ask(page, token)
        assert answer.status_code == 502
        assert "ask the owner of the campaign" in answer.text
