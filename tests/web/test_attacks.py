"""Attacks on the page over real HTTP. Each must be refused, logged, and change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from pipeline.review.answers import Answer
from pipeline.review.store import Actor
from pipeline.web.attempts import AttemptLimits
from tests.fakes.tls import self_signed
from tests.web.attacked import COLLEAGUE, OWNER, REVIEWER, AttackedPage, csrf


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedPage]:
    with AttackedPage(tmp_path_factory.mktemp("page")) as page:
        yield page


class Attack:
    """Checks that what happens in the block changes nothing and is logged as ``kind``."""

    def __init__(self, page: AttackedPage, kind: str, times: int = 1) -> None:
        self._page, self._kinds = page, [kind] * times

    def __enter__(self) -> None:
        self._before, self._logged = self._page.contents(), self._page.refusals()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            assert self._page.contents() == self._before
            assert self._page.refusals() == self._logged + self._kinds


def decision(page: AttackedPage, email: str, token: str) -> dict[str, str]:
    card_id, item_id = page.item(email)
    return {
        "card_id": card_id,
        "item_id": item_id,
        "decision": "keep",
        "reason": "needed",
        "answered": "1",
        "csrf": token,
    }


def test_a_reviewer_comes_by_a_link_and_decides(page: AttackedPage) -> None:
    """The way that the attacks below leave: without it they could be refused for another reason."""
    client, token = page.client(), page.link()
    shown = client.get(f"/link/{token}")
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "Open the review" in shown.text
    assert client.get("/").headers["Location"] == "/sign-in"  # looking at it signs nobody in

    answer = client.post("/link", data={"token": token}, headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert token not in client.get("/").text
    answer = client.post("/decide", data=decision(page, REVIEWER, csrf(client)))
    assert answer.status_code == 303
    [entry] = page.store.latest_decisions(limit=1)
    assert (entry.reviewer, entry.method, entry.decided_from) == (REVIEWER, "link", "127.0.0.1")


@pytest.mark.parametrize("part", range(6))
def test_an_altered_link(page: AttackedPage, part: int) -> None:
    token = page.link()
    place = part * (len(token) - 1) // 5
    altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    with Attack(page, "link", times=2):
        for answer in (page.client().get(f"/link/{altered}"), page.client().post("/link", data={"token": altered})):
            assert answer.status_code == 403
            assert "ask the owner of the campaign" in answer.text.lower()
            assert "Set-Cookie" not in answer.headers


def test_a_forged_link(page: AttackedPage) -> None:
    mixed = page.link()[:60] + page.link(COLLEAGUE)[60:]
    for forged in ("A" * 120, mixed, "x", "../../etc/passwd", "a" * 5000):
        with Attack(page, "link"):
            assert page.client().post("/link", data={"token": forged}).status_code == 403
    with Attack(page, "link"):
        assert page.client().post("/link", data={"other": "x"}).status_code == 403


def test_a_used_link(page: AttackedPage) -> None:
    token = page.link()
    first = page.client()
    first.post("/link", data={"token": token})
    with Attack(page, "link", times=2):
        for answer in (page.client().get(f"/link/{token}"), page.client().post("/link", data={"token": token})):
            assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)
            assert "was used before" in answer.text
    # the same person clicks on the same mail again, and is still signed in
    assert first.get(f"/link/{token}").headers["Location"] == "/"


def test_an_expired_and_a_replaced_link(page: AttackedPage) -> None:
    old, newer = page.link(), page.link()
    with Attack(page, "link"):
        assert "There is a newer link" in page.client().get(f"/link/{old}").text
    page.now += timedelta(days=14)
    with Attack(page, "link"):
        assert "has expired" in page.client().post("/link", data={"token": newer}).text
    page.now -= timedelta(days=14)


@pytest.mark.parametrize("path", ["/people/{card}", "/people/{card}?item_id={item}&decision=keep"])
def test_another_reviewers_person(page: AttackedPage, path: str) -> None:
    client = page.signed_in()
    card_id, item_id = page.item(COLLEAGUE)
    with Attack(page, "not_yours"):
        assert client.get(path.format(card=card_id, item=item_id)).status_code == 404


def test_another_reviewers_items(page: AttackedPage) -> None:
    client = page.signed_in()
    mine, theirs = decision(page, REVIEWER, csrf(client)), decision(page, COLLEAGUE, csrf(client))
    for form in (theirs, mine | {"item_id": theirs["item_id"]}, theirs | {"item_id": mine["item_id"]}):
        with Attack(page, "not_yours"):
            assert client.post("/decide", data=form).status_code == 404
    with Attack(page, "not_yours"):
        assert client.post("/accept", data=theirs).status_code == 404
    for invented in ("", "1", "' or 1=1 --", "%", "0" * 64):
        with Attack(page, "not_yours"):
            assert client.post("/decide", data=mine | {"item_id": invented}).status_code == 404


def test_undo_takes_back_only_what_the_reviewer_decided(page: AttackedPage) -> None:
    _, item_id = page.item(COLLEAGUE)
    client = page.signed_in()
    token = csrf(client)
    for _ in page.store.latest_decisions(limit=100):
        client.post("/undo", data={"csrf": token})
    page.store.decide(Actor(COLLEAGUE, "link", "192.0.2.1"), item_id, Answer("keep", "needed"), now=page.now)
    before = page.contents()
    client.post("/undo", data={"csrf": token})
    assert page.contents() == before


@pytest.mark.parametrize("path", ["/campaign", "/campaign/decisions", "/campaign/reassign", "/campaign/refusals"])
def test_a_reviewer_on_the_owners_pages(page: AttackedPage, path: str) -> None:
    client = page.signed_in()
    with Attack(page, "not_owner"):
        assert client.get(path).status_code == 403
    assert page.signed_in(OWNER, is_owner=True).get(path).status_code == 200


def test_a_reviewer_who_hands_items_over(page: AttackedPage) -> None:
    client = page.signed_in()
    form = {"from": COLLEAGUE, "to": REVIEWER, "reason": "mine now", "which": "all", "csrf": csrf(client)}
    with Attack(page, "not_owner"):
        assert client.post("/campaign/reassign", data=form).status_code == 403


def test_an_owner_who_decides_for_others(page: AttackedPage) -> None:
    client = page.signed_in(OWNER, is_owner=True)
    with Attack(page, "no_reviewer"):
        assert client.post("/decide", data=decision(page, REVIEWER, csrf(client))).status_code == 403


@pytest.mark.parametrize("path", ["/decide", "/accept", "/undo", "/sign-out"])
def test_a_form_without_the_token_or_with_anothers(page: AttackedPage, path: str) -> None:
    client, other = page.signed_in(), page.signed_in(COLLEAGUE)
    good = decision(page, REVIEWER, csrf(client))
    for token in (None, "", "x", csrf(other)):
        form = {**good, "csrf": token} if token is not None else {k: v for k, v in good.items() if k != "csrf"}
        with Attack(page, "csrf"):
            assert client.post(path, data=form).status_code == 403
    assert client.get("/").status_code == 200  # still signed in


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_site(page: AttackedPage, headers: dict[str, str]) -> None:
    client = page.signed_in()
    form = decision(page, REVIEWER, csrf(client))
    with Attack(page, "cross_site"):
        assert client.post("/decide", data=form, headers=headers).status_code == 403


def test_only_forms_change_anything(page: AttackedPage) -> None:
    client = page.signed_in()
    form = decision(page, REVIEWER, csrf(client))
    before = page.contents()
    for path in ("/decide", "/accept", "/undo", "/sign-out", "/link"):
        assert client.get(path, params=form).status_code in {404, 405}
    assert page.contents() == before
    assert client.get("/").status_code == 200


def test_a_session_that_was_prepared_by_another(page: AttackedPage) -> None:
    """Fixation: the victim signs in in a browser whose cookie the attacker knows."""
    name = page.origin.cookie_name("review")
    attacker = page.signed_in(COLLEAGUE)
    for prepared in ("chosen-by-the-attacker", attacker.cookies[name]):
        victim = page.client(Cookie=f"{name}={prepared}")
        form = {"token": page.link()} | ({"csrf": csrf(attacker)} if prepared == attacker.cookies[name] else {})
        answer = victim.post("/link", data=form)
        cookie = answer.cookies[name]
        assert cookie != prepared
        assert page.client(Cookie=f"{name}={prepared}").get("/").headers["Location"] == "/sign-in"
        assert page.client(Cookie=f"{name}={cookie}").get("/").status_code == 200


def test_a_stolen_cookie_is_worthless_after_signing_out(page: AttackedPage) -> None:
    client = page.signed_in()
    name = page.origin.cookie_name("review")
    stolen = page.client(Cookie=f"{name}={client.cookies[name]}")
    form = decision(page, REVIEWER, csrf(client))
    assert stolen.get("/").status_code == 200
    answer = client.post("/sign-out", data={"csrf": form["csrf"]})
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    with Attack(page, "signed_out"):
        assert stolen.post("/decide", data=form).status_code == 401
    assert stolen.get("/").headers["Location"] == "/sign-in"


def test_a_session_ends_after_a_day_without_use(page: AttackedPage) -> None:
    client = page.signed_in()
    form = decision(page, REVIEWER, csrf(client))
    page.now += timedelta(hours=8)
    with Attack(page, "signed_out"):
        answer = client.post("/decide", data=form)
    assert "You are signed out" in answer.text
    page.now -= timedelta(hours=8)


def test_a_name_that_an_attacker_points_at_this_machine(page: AttackedPage) -> None:
    client = page.signed_in()
    with Attack(page, "host"):
        assert client.get("/", headers={"Host": "rebound.example"}).status_code == 400


def test_a_closed_campaign(page: AttackedPage) -> None:
    client, link = page.signed_in(), page.link()
    form = decision(page, REVIEWER, csrf(client))
    with page.store.writing() as connection:
        connection.execute("update campaign set closed_at = opened_at")
    try:
        with Attack(page, "closed", times=2):
            assert client.post("/decide", data=form).status_code == 409
            assert client.post("/undo", data=form).status_code == 409
        assert client.get("/").status_code == 200
        with Attack(page, "link"):
            assert "is closed" in page.client().get(f"/link/{link}").text
    finally:
        with page.store.writing() as connection:
            connection.execute("update campaign set closed_at = null")


def test_guessing_is_limited_and_the_limited_are_told_when(tmp_path: Path) -> None:
    with AttackedPage(tmp_path, limits=AttemptLimits(per_key=5)) as page:
        colleague = page.signed_in(COLLEAGUE)
        token = page.link()
        answers = [page.client().post("/link", data={"token": "A" * 120}) for _ in range(8)]
        assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 3
        assert answers[-1].headers["Retry-After"] == "600"
        assert page.refusals() == ["link"] * 5
        assert page.client().post("/link", data={"token": token}).status_code == 429
        # behind the same address, who is signed in goes on
        assert colleague.post("/decide", data=decision(page, COLLEAGUE, csrf(colleague))).status_code == 303
        page.now += timedelta(minutes=10)
        assert page.client().post("/link", data={"token": token}).status_code == 303


def test_cookies_over_tls(tmp_path: Path) -> None:
    with AttackedPage(tmp_path, tls=self_signed(tmp_path)) as page:
        client = page.client()
        answer = client.post("/link", data={"token": page.link()}, headers={"Origin": page.url})
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-review-")
        for flag in ("; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"):
            assert flag in cookie
        assert "Domain" not in cookie
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert client.get("/").status_code == 200


def test_a_restart_keeps_sessions_and_the_log(tmp_path: Path) -> None:
    with AttackedPage(tmp_path) as page:
        client = page.signed_in()
        page.client().get("/link/forged")
    with AttackedPage(tmp_path) as again:
        cookie = {again.origin.cookie_name("review"): client.cookies[page.origin.cookie_name("review")]}
        assert httpx.get(again.url + "/", cookies=cookie).status_code == 200
        assert again.refusals() == ["link"]


def test_no_secret_is_written_anywhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with AttackedPage(tmp_path) as page:
        token = page.link()
        client = page.client(Origin=page.url)
        client.get(f"/link/{token}")
        client.post("/link", data={"token": token})
        client.get(f"/link/{token}x")
        page.client().get(f"/link/{token}")
        page.client().post(f"/link/{token}", data={"token": token})
        secrets = {token, *client.cookies.values(), csrf(client)}
        client.post("/decide", data=decision(page, REVIEWER, "wrong"))
        written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    out = "".join(capfd.readouterr())
    for secret in secrets:
        assert secret.encode() not in written
        assert secret not in out
    assert out == ""
