"""No secret reaches a file or an error, whatever the server does with it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.fakes.http import Reply, as_json
from tests.fakes.sisense import API_TOKEN, PASSWORD, FakeSisense, account, accounts
from tests.sources.conftest import BY_PASSWORD, BY_TOKEN, Extract, Extracting

CANARIES = (PASSWORD, API_TOKEN, "canary.session-token", "canary-hash", "canary%2F")


def assert_no_canary(done: Extract) -> None:
    written = done.everything_written() + repr(done.error).encode() + repr(done.outcome).encode()
    for canary in CANARIES:
        assert canary.encode() not in written
        assert json.dumps(canary)[1:-1].encode() not in written


@pytest.mark.parametrize("credentials", [BY_PASSWORD, BY_TOKEN], ids=["password", "token"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 422, 500])
@pytest.mark.parametrize("resource", ["status", "login", "users", "roles", "groups"])
def test_a_server_that_echoes_credentials_in_its_errors_leaks_none(
    extracting: Extracting, resource: str, status: int, credentials: Any
) -> None:
    words = f"bad {PASSWORD} canary%2Fp%C3%A4ssword+4711"
    if credentials is BY_TOKEN:
        words += f" {API_TOKEN}"
    elif resource not in ("status", "login"):
        words += " canary.session-token.1"
    echo = as_json({"error": {"message": words}}, status)
    with FakeSisense(accounts(3), fault=lambda r, nth: echo if r == resource else None) as fake:
        done = extracting(fake, credentials, max_attempts=1)

    assert_no_canary(done)


def test_only_secrets_are_removed_from_records_at_any_depth(extracting: Extracting) -> None:
    users = [
        account(
            1,
            hash="canary-hash",
            Password="canary-hash",
            api_token="canary-hash",
            preferences={"inner": [{"accessToken": "canary-hash", "kept": 1}], "hash": {"salt": "canary-hash"}},
            hashtag="kept",
            mustChangePassword=True,
        ),
        account(2, note=f"my token is {API_TOKEN}"),
    ]
    with FakeSisense(users) as fake:
        done = extracting(fake, BY_TOKEN)

    assert_no_canary(done)
    first, second = done.rows("users")
    assert first == account(1, preferences={"inner": [{"kept": 1}]}, hashtag="kept", mustChangePassword=True)
    assert second == account(2, note="my token is ***")
    (page,) = [p for p in done.pages if p.resource == "users" and p.file and (p.sweep, p.offset) == (1, 0)]
    kept = (done.spool.folder / str(page.file)).read_bytes()
    assert page.redacted_sha256 == hashlib.sha256(kept).hexdigest()
    assert page.sha256 == hashlib.sha256(json.dumps(users).encode()).hexdigest()


def test_secrets_of_group_members_are_removed(extracting: Extracting) -> None:
    groups = [{"_id": "g", "name": "g", "users": [account(1, hash="canary-hash")]}]
    with FakeSisense(accounts(1), groups=groups) as fake:
        done = extracting(fake)

    assert_no_canary(done)
    assert done.rows("groups") == [{"_id": "g", "name": "g", "users": [account(1)]}]


def test_a_page_without_secrets_is_kept_byte_for_byte(extracting: Extracting) -> None:
    body = b' [ {"_id" : "\\u0061", "n": 1.50, "e": 1E2,\n "x": "\\ud83d\\ude00"} ] '
    pages = {0: body, 1: b"[]", 51: b"[]"}
    with FakeSisense(accounts(1)) as fake:
        fake.handlers["users"] = lambda request: Reply(body=pages[int(request.query["skip"])])
        done = extracting(fake)

    (page,) = [p for p in done.pages if p.resource == "users" and p.file and p.sweep == 1]
    assert (done.spool.folder / str(page.file)).read_bytes() == body
    assert page.sha256 == hashlib.sha256(body).hexdigest()
    assert page.bytes == len(body)
    assert page.redacted_sha256 is None


def test_permissions_about_tokens_and_passwords_stay_in_a_roles_manifest(extracting: Extracting) -> None:
    roles = [
        {"_id": "r", "name": "admin", "manifest": {"users": {"changePassword": True, "token": {"create": True}}}}
    ]
    with FakeSisense(accounts(1), fault=lambda r, nth: as_json(roles) if r == "roles" else None) as fake:
        done = extracting(fake)

    assert done.rows("roles") == roles


def test_a_token_that_cannot_be_a_header_is_an_error_that_does_not_show_it(extracting: Extracting) -> None:
    from pipeline.settings import Credentials, Secret

    for token in ("canary.session-token\nX-Other: 1", "canary.session-token-ä", "canary.session-token "):
        with FakeSisense(accounts(1)) as fake:
            done = extracting(fake, Credentials(None, None, Secret(token)))

        assert done.error is not None
        assert_no_canary(done)
        assert fake.seen["users"] == 0
