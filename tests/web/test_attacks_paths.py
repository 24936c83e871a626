"""Attacks on addresses of the page: to other sites, to other files, and while the store cannot be used."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.web.attacked import COLLEAGUE, OWNER, REVIEWER, AttackedPage, csrf


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedPage]:
    with AttackedPage(tmp_path_factory.mktemp("page")) as page:
        yield page


@pytest.mark.parametrize(
    "path",
    [
        "/static/../base.html",
        "/static/%2e%2e/base.html",
        "/static/..%2f..%2fpacket.html",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
        "/review.sqlite",
    ],
)
def test_no_other_file_is_served(page: AttackedPage, path: str) -> None:
    answer = page.signed_in().get(httpx.URL(page.url + path))
    assert answer.status_code in {404, 405}
    assert "{%" not in answer.text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "\r\nSet-Cookie: a=b"])
def test_no_answer_leads_to_another_site(page: AttackedPage, back: str) -> None:
    client = page.signed_in()
    token = csrf(client)
    card_id, item_id = page.item()
    form = {"card_id": card_id, "item_id": item_id, "decision": "keep", "reason": "r", "answered": "1", "csrf": token}
    for path in ("/decide", "/undo"):
        answer = client.post(path, data=form | {"back": back, "next": back})
        location = httpx.URL(page.url).join(answer.headers["Location"])
        assert str(location).startswith(page.url + "/")
        assert not answer.headers["Location"].startswith(("//", "/\\"))
    assert client.get(f"/people/{card_id}", params={"back": back}).status_code == 200


def test_another_site_signs_no_reviewer_in_as_its_own(page: AttackedPage) -> None:
    """Login CSRF: decisions of the victim would be the attacker's."""
    token = page.link(COLLEAGUE)
    for headers in ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, {"Origin": "https://evil.example"}):
        answer = page.client().post("/link", data={"token": token}, headers=headers)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)
    victim = page.signed_in(REVIEWER)
    assert (
        victim.post("/link", data={"token": token}).status_code == 403
    )  # it lacks the token of the victim's session
    assert victim.get("/").status_code == 200
    assert page.client().post("/link", data={"token": token}).status_code == 303


def test_markup_in_an_address_or_a_form_is_shown_as_text(page: AttackedPage) -> None:
    script = "<script>alert(1)</script>"
    client, owner = page.signed_in(), page.signed_in(OWNER, is_owner=True)
    card_id, item_id = page.item()
    form = {"card_id": card_id, "item_id": item_id, "decision": script, "reason": script, "csrf": csrf(client)}
    answers = [
        client.get("/", params={"text": script}),
        client.get(f"/people/{card_id}", params={"item_id": item_id, "decision": "keep", "reason": script}),
        client.post("/decide", data=form | {"answered": "1"}),
        client.post("/decide", data=form | {"decision": "exception", "answered": "1"}),
        owner.get("/campaign/reassign", params={"moved": "1", "to": script, "from": script}),
        owner.post("/campaign/reassign", data={"to": script, "reason": script, "csrf": csrf(owner)}),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert not [answer for answer in answers if script in answer.text]


def test_owners_read_what_was_refused(tmp_path: Path) -> None:
    with AttackedPage(tmp_path) as page:
        owner = page.signed_in(OWNER, is_owner=True)
        assert "No request was refused yet" in owner.get("/campaign/refusals").text
        page.client().get("/link/<b>")
        page.signed_in().get("/campaign")
        shown = owner.get("/campaign/refusals").text
        for text in ("2 refused requests", "Link that does not sign in", "Owner&#39;s page opened", "127.0.0.1"):
            assert text in shown
        assert f"signed in as {REVIEWER}" in shown


def test_what_cannot_be_logged_is_refused_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with AttackedPage(tmp_path) as page:
        client, token = page.signed_in(), page.link()
        with page.store.writing() as connection:
            connection.execute("drop table refusals")
        with caplog.at_level(logging.ERROR):
            assert page.client().get(f"/link/{token}x").status_code == 403
            assert client.post("/undo", data={"csrf": "wrong"}).status_code == 403
        assert caplog.text.count("cannot be logged") == 2
        assert token not in caplog.text


def test_a_store_that_cannot_be_used_is_said_without_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with AttackedPage(tmp_path) as page:
        client, token = page.signed_in(), page.link()
        path = page.store.path
        page.store.close()
        contents = path.read_bytes()
        for file in tmp_path.glob("review.sqlite*"):
            file.unlink()
        path.write_bytes(b"no database" * 1000)
        with caplog.at_level(logging.ERROR):
            answers = [client.get("/"), page.client().get(f"/link/{token}"), page.client().get("/link/x")]
            answers.append(page.client().post("/link", data={"token": token}))
        assert {answer.status_code for answer in answers} == {503}
        assert all(answer.headers["X-Frame-Options"] == "DENY" for answer in answers)
        assert token not in caplog.text + "".join(answer.text for answer in answers)
        assert caplog.text

        path.write_bytes(contents)
