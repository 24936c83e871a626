"""A server or proxy that repeats the credential, in a dozen encodings: it reaches nothing that is kept."""

from __future__ import annotations

import base64
import html
import json
import quopri
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from pipeline.errors import LoginError
from pipeline.settings import Credentials, Secret
from pipeline.sources.redaction import Redaction, carries
from tests.cases.case import Case, each
from tests.e2e.conftest import run_command
from tests.fakes.http import Reply, as_json
from tests.fakes.sisense import USERNAME, FakeSisense, account, accounts
from tests.sources.conftest import Extract, Extracting

PASSWORD = 'cañary/pass word+"4711"&<xyz>'
TOKEN = "canaryeyJ0b2tlbiI6.canaryeyJzdWIiOiJh.c4n4ry-_s1gn4tur3"
BY_PASSWORD = Credentials(USERNAME, Secret(PASSWORD), None)
BY_TOKEN = Credentials(None, None, Secret(TOKEN))


def percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def wrapped(text: str, width: int) -> str:
    return "\r\n ".join(text[at : at + width] for at in range(0, len(text), width))


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "escaped for HTML": html.escape,
    "as numbers of HTML": lambda text: "".join(f"&#x{ord(c):x};" for c in text),
    "escaped for HTML twice": lambda text: html.escape(html.escape(text)),
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded in lower case": percent,
    "percent-encoded twice": lambda text: quote(percent(text)),
    "percent-encoded as a form": quote_plus,
    "percent-encoded as Latin-1": lambda text: quote(text, safe="", encoding="latin-1"),
    "in Base64": in_base64,
    "in Base64 behind a user name": lambda text: in_base64(f"svc:{text}"),
    "in Base64 behind two more letters": lambda text: in_base64(f"svcxy:{text}!!"),
    "in Base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "in Base64, percent-encoded": lambda text: quote(in_base64(text), safe=""),
    "in Base64, in lines": lambda text: wrapped(in_base64(text), 10),
    "in hexadecimal": lambda text: text.encode().hex(),
    "as escapes of JSON": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "quoted-printable": lambda text: quopri.encodestring(text.encode("latin-1")).decode("latin-1"),
    "folded into lines": lambda text: wrapped(text, 7),
    "without its blanks": lambda text: "".join(text.split()),
    "with invisible characters": lambda text: "\u200b".join(text),
    "in upper case": str.upper,
    "cut at the end of a line": lambda text: text[: len(text) * 2 // 3],
    "without its beginning": lambda text: text[len(text) // 3 :],
}
EACH = [Case("echo", words, "not shown", encode) for words, encode in ENCODINGS.items()]


def leaks(text: str, secret: str) -> bool:
    """Tell whether half of a secret can be read in a text, in any of those spellings. It is written for tests."""
    half = len(secret) // 2
    pieces = {secret[at : at + half] for at in range(len(secret) - half + 1)}
    spelt = {secret.upper(), "".join(secret.split()), *(encode(secret) for encode in ENCODINGS.values())}
    plain = "".join(text.split()).lower()
    return any("".join(piece.split()).lower() in plain for piece in pieces | spelt)


def everything(done: Extract) -> str:
    hint = done.error.hint if done.error else ""
    return done.everything_written().decode() + f"{done.error!r} {hint} {done.outcome!r}"


@each(EACH)
def test_every_encoding_of_a_secret_is_recognised(case: Case) -> None:
    for secret in (PASSWORD, TOKEN):
        assert Redaction([secret]).repeats(f"Sorry: {case.content(secret)} was wrong")
        assert leaks(f"Sorry: {case.content(secret)} was wrong", secret)


@each(EACH)
@pytest.mark.parametrize("resource", ["status", "login", "users", "groups"])
def test_an_error_that_repeats_the_password_shows_none_of_it(
    extracting: Extracting, resource: str, case: Case
) -> None:
    words = f"wrong: {case.content(PASSWORD)}"
    shapes = (
        as_json({"error": {"message": words}}, 403),
        Reply(500, f"<title>{words}</title>".encode(), "text/html"),
        Reply(400, words.encode(), "text/plain"),
    )
    for shape in shapes:
        headers = {"X-Error": case.content(PASSWORD).encode("ascii", "replace").decode().replace("\r\n", " ")}
        reply = replace(shape, headers=headers)
        with FakeSisense(
            accounts(2), password=PASSWORD, fault=lambda r, _, reply=reply: reply if r == resource else None
        ) as fake:  # type: ignore[misc]
            done = extracting(fake, BY_PASSWORD, max_attempts=1)

        assert not leaks(everything(done), PASSWORD)


@each(EACH)
def test_an_error_that_repeats_the_token_shows_none_of_it(extracting: Extracting, case: Case) -> None:
    for status in (401, 403, 500):
        reply = as_json({"message": f"Bearer {case.content(TOKEN)}"}, status)
        with FakeSisense(accounts(2), fault=lambda r, nth, reply=reply: reply if r == "users" else None) as fake:  # type: ignore[misc]
            done = extracting(fake, BY_TOKEN, max_attempts=1)

        assert done.error is not None
        assert not leaks(everything(done), TOKEN)


#: In data, a part of a secret may be anything, and one in other case is no credential.
WHOLE = [
    case for case in EACH if case.given not in {"cut at the end of a line", "without its beginning", "in upper case"}
]


@each(WHOLE)
def test_a_record_that_holds_the_token_is_kept_without_it(extracting: Extracting, case: Case) -> None:
    users = [account(1, note=f"x {case.content(TOKEN)} y"), account(2, **{case.content(TOKEN): 1}), account(3)]
    with FakeSisense(users) as fake:
        fake.tokens[TOKEN] = 0
        done = extracting(fake, BY_TOKEN)

    assert done.failed == set()
    assert done.ids == fake.ids
    assert not leaks(everything(done), TOKEN)
    assert done.rows("users")[2] == account(3)


def test_the_answer_to_a_login_is_shown_as_a_reason_and_a_length(extracting: Extracting) -> None:
    said = [
        ("Invalid password", "wrong user name or password"),
        ("Your account is locked out", "the account is locked"),
        ("User is disabled", "the account is switched off"),
        ("Use SAML to sign in", "signs in by single sign-on"),
        ("Zwei mal drei", "an unknown reason"),
    ]
    for words, reason in said:
        for reply in (as_json({"success": False, "message": words}), as_json({"error": {"message": words}}, 401)):
            with FakeSisense(accounts(1), fault=lambda r, nth, reply=reply: reply if r == "login" else None) as fake:  # type: ignore[misc]
                done = extracting(fake, BY_PASSWORD)

            assert isinstance(done.error, LoginError)
            assert reason in done.error.message
            assert f"({len(reply.body)} bytes, not shown)" in done.error.message
            assert words not in str(done.error)
            assert fake.seen["login"] == 1


def test_a_redirect_that_contains_the_token_does_not_show_it(extracting: Extracting) -> None:
    def answer(resource: str, nth: int) -> Reply | None:
        where = f"/api/v1/users?skip=0&limit=50&t={percent(TOKEN)}"
        return Reply(307, headers={"Location": where}) if resource == "roles" else None

    with FakeSisense(accounts(3), fault=answer) as fake:
        fake.tokens[TOKEN] = 0
        done = extracting(fake, BY_TOKEN)
        elsewhere = Reply(302, headers={"Location": f"https://{TOKEN.lower()}.example.com/"})
        fake.fault = lambda r, nth: elsewhere if r == "users" else None
        sent_on = extracting(fake, BY_TOKEN)

    assert not leaks(everything(done), TOKEN)
    assert sent_on.error is not None
    assert not leaks(everything(sent_on), TOKEN)


def test_ordinary_words_are_still_shown(extracting: Extracting) -> None:
    trouble = as_json({"error": {"message": "the index of users is being rebuilt"}}, 503)
    with FakeSisense(accounts(1), password=PASSWORD, fault=lambda r, nth: trouble if r == "users" else None) as fake:
        done = extracting(fake, BY_PASSWORD, max_attempts=1)

    assert "the index of users is being rebuilt" in str(done.error)


def test_an_ordinary_page_does_not_count_as_one_with_a_secret() -> None:
    page = json.dumps([account(n, note=f"R&D 100% \u00e9 {n} &amp; co") for n in range(200)]).encode()

    assert not carries(page, [TOKEN, PASSWORD])


@each(EACH[::4])
def test_the_password_reaches_neither_database_nor_terminal(tmp_path: Path, case: Case) -> None:
    words = case.content(PASSWORD)
    reply = as_json({"error": {"message": f"wrong: {words}"}}, 401)
    with FakeSisense(accounts(2), fault=lambda r, nth: reply if r == "login" else None) as fake:
        (tmp_path / "access-review.toml").write_text(
            f'[sources.prod]\nkind = "sisense"\nurl = "{fake.url}"\nusername = "{USERNAME}"\nmax_attempts = 1\n'
        )
        done = run_command(tmp_path, "--verbose", "extract", ACCESS_REVIEW_PROD_PASSWORD=PASSWORD)

    assert done.code == 3, done.stderr
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode("utf-8", "replace")
    assert not leaks(written + done.stdout + done.stderr, PASSWORD)


def test_the_search_in_these_tests_finds_secrets() -> None:
    assert leaks(f"x{PASSWORD}", PASSWORD)
    assert not leaks("wrong user name or password (84 bytes, not shown)", PASSWORD)


def test_a_very_short_password_is_not_given_away_by_redaction(extracting: Extracting) -> None:
    with FakeSisense(accounts(1)) as fake:
        done = extracting(fake, Credentials(USERNAME, Secret("s"), None))

    assert "source 'prod'" in str(done.error)
    assert "***" not in str(done.error)
