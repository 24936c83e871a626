"""The check that both sides list the same memberships: no difference passes, whatever the shape of a record."""

from collections.abc import Callable
from typing import Any

import pytest

SNAPSHOT = "20260101T000000Z-0001"
G = {"_id": "g", "name": "G"}
CASES: list[tuple[str, str, list[dict[str, Any]], list[dict[str, Any]]]] = [
    # result, what differs, further users, groups
    ("FAIL", "one on each side, but another", [{"_id": "y", "groups": ["g"]}], [G | {"users": [{"_id": "x"}]}]),
    ("FAIL", "plain ids, as many on both sides", [{"_id": "x", "groups": ["g"]}, {"_id": "z", "groups": ["g"]}],
     [G | {"users": ["x", "y"]}]),
    ("FAIL", "twice on both sides, but another", [{"_id": "y", "groups": ["g", "g"]}],
     [G | {"users": [{"_id": "x"}, {"_id": "x"}]}]),
    ("PASS", "twice on both sides", [{"_id": "x", "groups": [{"_id": "g"}, "g", None]}],
     [G | {"users": [{"_id": "x"}, {"_id": "x"}]}]),
    ("PASS", "a group without the list around it", [{"_id": "x", "groups": {"_id": "g"}}],
     [G | {"users": [{"_id": "x"}]}]),
    ("FAIL", "a boolean is no id of a member", [{"_id": True, "groups": ["g"]}], [G | {"users": [{"_id": True}]}]),
    ("FAIL", "an account twice, in two groups", [{"_id": "x", "groups": ["g"]}, {"_id": "x", "groups": ["h"]}],
     [G | {"users": [{"_id": "x"}]}, {"_id": "h", "name": "H", "users": []}]),
]  # fmt: skip


@pytest.mark.parametrize(("result", "users", "groups"), [pytest.param(r, u, g, id=what) for r, what, u, g in CASES])
def test_a_difference_is_found_in_every_shape_of_record(
    house: Any,
    source: Any,
    make_user: Callable[..., Any],
    result: str,
    users: list[dict[str, Any]],
    groups: list[dict[str, Any]],
) -> None:
    house.land(SNAPSHOT, {"prod": source([make_user("u0", groups=[]), *users], groups=groups)})

    assert house.rows("select result from meta.reconciliation where check_id = 'membership_sides_agree'") == [
        (result,)
    ]


def test_memberships_are_counted_once(house: Any, source: Any) -> None:
    users = [
        {"_id": "x", "groups": ["g", "g"]},
        {"_id": "y", "groups": ["g", "h"]},
        {"_id": "y", "groups": ["g", "h"]},
    ]
    groups = [
        G | {"users": [{"_id": "x"}, {"_id": "x"}, {"_id": "y"}, {"_id": "y"}]},
        {"_id": "h", "name": "H", "users": ["y", "z"]},
        {"_id": "i", "name": "I", "users": [{"_id": "x"}]},
    ]

    house.land(SNAPSHOT, {"prod": source(users, groups=groups)})

    assert house.rows(
        "select expected, observed, explanation from meta.reconciliation where check_id = 'membership_sides_agree'"
    ) == [
        (
            "3",
            "5",
            "2 memberships listed on one side only (0 in user records, 2 in group records); "
            "the report uses both sides.",
        )
    ]


def test_a_group_id_of_any_shape_is_found_among_the_groups(
    house: Any, source: Any, make_user: Callable[..., Any]
) -> None:
    users = [make_user("u0"), {"_id": "x", "groups": "g-ops"}, {"_id": "y", "groups": [True, {"_id": "g-ops"}]}]

    house.land(SNAPSHOT, {"prod": source(users)})

    assert house.rows("select result from meta.reconciliation where check_id = 'group_ids_resolve'") == [("PASS",)]
