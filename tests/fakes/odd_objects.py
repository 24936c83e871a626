"""Sisense servers whose answers about objects have other shapes than those of the simulator.

Written from the notes on Sisense's published API alone; it shares no code with ``pipeline.simulator``. Every shape
that the notes allow is here once: other names of keys, ids that are numbers or objects, lists inside an object, keys
that a release refuses, pages that repeat, parts that are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from tests.fakes.http import Reply, Request, as_json
from tests.fakes.sisense import ADMIN_ROLE, FakeSisense, accounts

#: Secrets and values of rows. No file and no database may have one of them.
CANARIES = (
    "canary-shared-secret", "canary-certificate", "canary-password", "canary-token", "canary-row-value",
    "canary-5551",
)  # fmt: skip
REFUSED = as_json({"error": {"code": 403, "message": "not allowed"}}, 403)
ABSENT = as_json({"error": {"code": 404, "message": "Resource not found."}}, 404)
UNKNOWN_KEY = as_json({"error": {"code": 422, "message": "unknown parameter"}}, 422)
BROKEN = as_json({"error": {"code": 500, "message": "canary-row-value"}}, 500)

Answer = Callable[[Request], Reply]


def always(value: Any) -> Answer:
    """Return an answer that does not look at the request."""
    return lambda _request: value if isinstance(value, Reply) else as_json(value)


def needs(answer: Answer, **query: str) -> Answer:
    """Return an answer that is refused without these keys."""
    return lambda request: answer(request) if query.items() <= request.query.items() else REFUSED


def strict(answer: Answer, *known: str) -> Answer:
    """Return an answer that refuses unknown keys."""
    return lambda request: UNKNOWN_KEY if set(request.query) - set(known) else answer(request)


def paged(rows: list[Any], skip: str = "skip", limit: str = "limit", wrap: str | None = None) -> Answer:
    """Return an answer with pages of at most two rows, so that each list here has several."""

    def answer(request: Request) -> Reply:
        start, size = int(request.query.get(skip, 0)), min(2, int(request.query.get(limit, 2)))
        found = rows[start : start + size]
        return as_json({wrap: found, "total": len(rows)} if wrap else found)

    return answer


class OddSisense(FakeSisense):
    """An instance with three accounts and the given answers about objects; ``objects`` is by decoded path."""

    def __init__(self, objects: Mapping[str, Answer]) -> None:
        super().__init__(
            accounts(3), loggedin={"_id": f"{1:024x}", "userName": "svc", "roleId": ADMIN_ROLE, "roleName": "super"}
        )
        self.objects = dict(objects)

    def reply(self, resource: str, request: Request) -> Reply:
        if resource != "nothing":
            return super().reply(resource, request)
        # a title is one part of a path: a slash in it must not become a part of its own
        parts = [unquote(part).replace("/", "\N{DIVISION SLASH}") for part in request.path.split("/")]
        answer = self.objects.get("/".join(parts))
        return answer(request) if answer else ABSENT


def windows() -> dict[str, Answer]:
    """An older release on Windows: two servers, numbers as ids, lists inside objects, no unknown keys."""
    dashboards = [
        {"oid": 101, "title": "Sales / 100%", "owner": {"_id": 7, "email": "a@example.com"}, "userId": 7,
         "parentFolder": 31, "created": "2026-01-02T03:04:05.000Z", "password": "canary-password",
         "datasource": {"title": "Orders", "address": "WIN-A", "database": "aOrders", "fullname": "WIN-A/Orders",
                        "connectionString": "canary-password"}},
        {"oid": 101, "title": "Sales / 100%", "owner": 7, "userId": 8},  # what a recipient sees
        {"oid": 102, "title": "Pay", "userId": 8, "owner": None},
        {"oid": 103, "title": None, "owner": "7", "userId": "7"},
    ]  # fmt: skip
    cubes = {
        "WIN-A": [
            {"_id": 1, "title": "Orders/2026", "createdUtc": "2026-01-01T00:00:00Z"},
            {"_id": 2, "title": "Pay %"},
        ],
        "WIN-B": [{"_id": 3, "title": "Orders/2026"}],
    }
    found = {
        "/api/v1/dashboards/admin": strict(paged(dashboards, wrap="items"), "skip", "limit", "sort"),
        "/api/shares/dashboard/101": needs(
            always({
                "sharesTo": [
                    {"shareId": 7, "type": "user", "subscribe": True},
                    {"partyId": "g1", "type": "group", "rule": "edit"},
                ],
                "sharesToNew": [{"email": "new@partner.test"}, "newer@partner.test"],
                "isPublic": True,
                "token": "canary-token",
            }),
            adminAccess="true",
        ),
        "/api/shares/dashboard/102": needs(
            always({"sharesTo": [], "sharesToNew": [], "isPublic": False}), adminAccess="true"
        ),
        "/api/shares/dashboard/103": needs(always({"sharesTo": [{"party": 8, "type": "user"}]}), adminAccess="true"),
        "/api/v1/folders": paged(
            [{"_id": 31, "title": "Finance", "parent": 32, "userId": 7},
             {"oid": 32, "name": "Old", "owner": {"oid": 8}}]
        ),
        "/api/elasticubes/servers": always([{"address": "WIN-A", "status": 1}, {"server": "WIN-B"}]),
        "/api/elasticubes/servers/WIN-A": strict(paged(cubes["WIN-A"], "offset", "count"), "offset", "count"),
        # ignores the offset: every page is the first
        "/api/elasticubes/servers/WIN-B": strict(always(cubes["WIN-B"]), "offset", "count"),
        "/api/elasticubes/WIN-A/Orders∕2026/permissions": always(
            {"server": "WIN-A", "title": "Orders/2026",
             "shares": [{"party": "g1", "permission": "w", "type": "group"},
                        {"party": 7, "permission": "a", "type": "user"}]}
        ),
        "/api/elasticubes/WIN-A/Pay %/permissions": always({"shares": []}),
        "/api/elasticubes/WIN-B/Orders∕2026/permissions": always(
            {"shares": [{"party": "all", "permission": "r", "type": "group", "belongsToEveryoneGroup": True}]}
        ),
        "/api/elasticubes/WIN-A/Orders∕2026/datasecurity": always([
            {"_id": 11, "table": "Orders", "column": "Region", "datatype": "text", "allMembers": None,
             "members": ["canary-row-value-1", "canary-row-value-2"],
             "shares": [{"party": "g1", "type": "group"}, {"partyId": 7, "type": "user"}]},
            {"_id": 12, "table": "Orders", "column": "Region", "allMembers": False, "members": None,
             "shares": [{"type": "default"}]},
        ]),
        "/api/elasticubes/WIN-A/Pay %/datasecurity": always({"data": [
            {"table": "Pay", "column": "Person", "exclusionary": True, "members": ["canary-5551", 5551, 5552.0],
             "shares": [{"partyId": 8, "type": "user"}]},
            {"_id": 14, "table": "Pay", "column": "Person", "allMembers": False, "shares": [{"type": "default"}]},
            {"_id": 15, "table": "Pay", "column": "Site", "allMembers": True, "members": None,
             "shares": [{"partyId": "t1", "type": "team"}]},
            {"_id": 16, "table": "Pay", "column": "Plant", "allMembers": True, "members": []},
        ]}),
        "/api/elasticubes/WIN-B/Orders∕2026/datasecurity": always(BROKEN),  # an error that quotes a value
        "/api/v1/elasticubes/live": REFUSED,
        "/api/v1/account/get_license_info": REFUSED,
        "/api/v1/settings/sso": always([
            {"enabled": True, "type": "jwt", "lowSecurityJwtSso": "true", "sharedSecret": "canary-shared-secret",
             "certificates": [{"pem": "canary-certificate"}], "samlCertificate": "canary-certificate"}
        ]),
        "/api/v1/settings/login_lockout": always({"enabled": True, "maxFailedAttempts": "5", "lockoutPeriod": 15}),
    }  # fmt: skip
    return {path: answer if callable(answer) else always(answer) for path, answer in found.items()}


def linux() -> dict[str, Answer]:
    """A new release without extract models: live models, shares in the list, mailed reports in pages."""
    dashboards = [
        {"oid": f"d{number}", "title": f"Board {number}", "owner": "u1", "userId": "u1", "instanceType": "owner",
         "shares": [{"shareId": "u1", "type": "user"}, {"shareId": "g1", "type": "group", "rule": "view"}]}
        for number in range(1, 6)
    ]  # fmt: skip
    reports = [
        {"id": 1, "enabled": True, "dashboards": [{"oid": "d1"}], "recipients": [{"type": "user", "id": "u2"}]},
        {"_id": "r2", "enabled": "false", "dashboardId": "d2", "recipients": ["x@partner.test", {"groupId": "g1"}]},
        {"reportId": "r3", "dashboards": ["d3"]},
    ]

    def report_page(request: Request) -> Reply:
        page = int(request.query["page"])
        return as_json({"data": reports[page - 1 : page], "pagination": {"isLastPage": page == len(reports)}})

    found: dict[str, Answer] = {
        "/api/v1/dashboards/admin": needs(paged(dashboards), dashboardType="owner"),
        **{
            f"/api/shares/dashboard/{row['oid']}": strict(always({"sharesTo": row["shares"], "isPublic": False}))
            for row in dashboards
        },
        "/api/v1/folders": paged([]),
        "/api/elasticubes/servers": always([]),
        "/api/v1/elasticubes/live": always([
            {"oid": "l1", "title": "50% / live", "type": "live", "creator": {"_id": "u1"},
             "shares": [{"partyId": "u2", "type": "user", "permission": "r"}], "connection": "canary-password"},
            {"oid": "l2", "title": "No shares", "creator": "u1"},
        ]),
        "/api/v1/elasticubes/live/50% ∕ live/datasecurity": always([
            {"_id": "x", "table": "T", "column": "C", "allMembers": False, "members": [], "live": True,
             "fullname": "live:50%", "shares": [{"type": "default", "partyId": None}]}
        ]),
        "/api/v1/elasticubes/live/No shares/datasecurity": always(None),
        "/api/v1/account/get_license_info": always(
            {"inUseAdmins": 1, "maxAdmins": 2, "maxViewers": "30", "trial": False, "licenseKey": "canary-token"}
        ),
        "/api/v1/settings/sso": always({"enabled": False, "type": "canary-certificate" * 9}),
        "/api/v1/report_manager/reports": report_page,
        "/api/v1/report_manager/reports/r3": needs(
            always({"data": {"id": "r3", "recipients": [{"email": "y@example.com"}]}}), recipientsInfo="true"
        ),
        "/api/v1/tenants": always([{"_id": "t1", "name": "Main", "systemAdmin": "canary-token"}]),
    }  # fmt: skip
    return found
