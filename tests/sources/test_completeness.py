"""The most important property: an extract that is FULL contains exactly the accounts of the server.

Accounts may come and go to the very end, so "exactly" means: all those that were there at one moment of the reading.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.fakes.http import Reply, as_html, as_json
from tests.fakes.sisense import FakeSisense, account, accounts
from tests.search import looking_for
from tests.sources.conftest import extract_from

FAULTS = [
    None,
    None,
    None,
    Reply(503),
    Reply(429, headers={"Retry-After": "3"}),
    Reply(reset=True),
    Reply(body=b"[" + b" " * 50 + b"]", cut=9),
    as_html(),
    as_json({"error": {"message": "no"}}),
    as_json({}, 401),
]
EMPTY = as_json([])  # without a count, nothing tells a false end from the true one


@pytest.mark.search
@looking_for(quick=12, deep=600, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_full_implies_exactly_the_accounts_of_the_server(data: Any) -> None:
    has_count = data.draw(st.booleans(), "count")
    number = data.draw(st.integers(0, 90), "accounts")
    ignores_limit = data.draw(st.sampled_from([False, False, False, True]), "ignores limit")
    lengths = [] if ignores_limit else data.draw(st.lists(st.integers(0, 12), max_size=4), "short pages")
    faults = data.draw(st.lists(st.sampled_from([*FAULTS, EMPTY] if has_count else FAULTS), max_size=12), "faults")
    moves = data.draw(
        st.dictionaries(st.integers(2, 14), st.sampled_from(["add first", "add last", "remove", "replace"])), "moves"
    )
    repeated = data.draw(st.sets(st.integers(2, 30), max_size=2), "repeated pages")
    fake = FakeSisense(
        accounts(number),
        cap=data.draw(st.sampled_from([None, None, 3, 10]), "cap"),
        ignores_skip=data.draw(st.sampled_from([False, False, False, True]), "ignores skip"),
        ignores_limit=ignores_limit,
        has_count=has_count,
        strict=data.draw(st.booleans(), "strict"),
        token_uses=data.draw(st.sampled_from([None, None, 9]), "token uses"),
        short=lambda nth, size: max(1, size - lengths[nth % len(lengths)]) if lengths else size,
        fault=lambda resource, nth: faults[nth - 2] if resource == "users" and 1 < nth < len(faults) + 2 else None,
    )

    moments = [fake.ids]

    def move(nth: int) -> None:
        change = moves.get(nth)
        if change in ("add first", "replace"):
            fake.users.insert(0, account(1000 + nth))
        if change == "add last":
            fake.users.append(account(1000 + nth))
        if change in ("remove", "replace") and len(fake.users) > 1:
            del fake.users[len(fake.users) // 2]
        moments.append(fake.ids)

    users = fake.handlers["users"]

    def repeating(request: Any) -> Reply:
        skip, limit = int(request.query["skip"]), int(request.query["limit"])
        if fake.seen["users"] in repeated and skip >= limit:
            request.query["skip"] = str(skip - limit)
        return users(request)

    fake.before_page = move
    fake.handlers["users"] = repeating
    with fake, tempfile.TemporaryDirectory() as folder:
        done = extract_from(fake, Path(folder) / "spool", page_size=10, concurrency=3)

        if not done.failed:
            assert done.ids in moments
