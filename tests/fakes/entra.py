"""A small Microsoft Graph and its authority: users, groups, members and the assignments to one application.

Collections have ``@odata.nextLink`` with an opaque token; ``/$count`` wants ``ConsistencyLevel: eventual``.
``before`` may reply in place of the server; ``after`` may change a reply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.fakes.http import Reply, Request, as_json

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "TENANT", "FakeEntra", "make_users"]

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CLIENT_SECRET = "synthetic~client-secret.canary"
PERMISSIONS = {
    "User.Read.All",
    "GroupMember.Read.All",
    "Application.Read.All",
    "AuditLog.Read.All",
    "User-LifeCycleInfo.Read.All",
}
_COLUMNS = {"signInActivity": "AuditLog.Read.All", "employeeLeaveDateTime": "User-LifeCycleInfo.Read.All"}


def _error(status: int, code: str, message: str) -> Reply:
    return as_json({"error": {"code": code, "message": message, "innerError": {"request-id": "r"}}}, status)


def make_users(count: int) -> list[dict[str, Any]]:
    """Return users in Graph's shape: the first manages the others, and every ninth is disabled."""
    return [
        {
            "id": f"00000000-0000-4000-8000-{number:012x}",
            "accountEnabled": number % 9 != 8,
            "userPrincipalName": f"user{number}@corp.example",
            "mail": f"user{number}@example.com" if number % 4 else None,
            "otherMails": [],
            "proxyAddresses": [f"SMTP:user{number}@example.com", f"smtp:u{number}@example.com", "X500:/o=x"],
            "displayName": f"Name {number}",
            "employeeId": str(number),
            "department": "Sales",
            "jobTitle": "Analyst",
            "userType": "Member",
            "createdDateTime": "2024-01-01T00:00:00Z",
            "employeeLeaveDateTime": None,
            "signInActivity": {"lastSignInDateTime": "2026-02-01T00:00:00Z", "lastSignInRequestId": "canary"},
            "mobilePhone": "+1-555-415-1337-canary",
            "streetAddress": "canary",
            "manager": (number and {"id": f"00000000-0000-4000-8000-{0:012x}"}) or None,
        }
        for number in range(count)
    ]


@dataclass
class FakeEntra:
    """The tenant. ``permissions`` are those of the client; ``most`` lowers what a page may hold."""

    users: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    assigned: list[tuple[str, str]] = field(default_factory=list)
    application: str = "spn"
    permissions: set[str] = field(default_factory=lambda: set(PERMISSIONS))
    most: int = 999
    off_by: int = 0
    before: Callable[[Request], Reply | None] = lambda request: None
    after: Callable[[Request, Reply], Reply] = lambda request, reply: reply
    access_tokens: set[str] = field(default_factory=set)
    issued: int = 0
    url: str = ""

    def answer(self, request: Request) -> Reply:
        """Answer a request, for :class:`~tests.fakes.http.HttpServer`."""
        self.url = f"http://{request.headers['host']}"
        if (reply := self.before(request)) is not None:
            return reply
        if request.path == f"/{TENANT}/oauth2/v2.0/token":
            return self._issue(request)
        if request.bearer not in self.access_tokens:
            return _error(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        return self.after(request, self._route(request))

    def _issue(self, request: Request) -> Reply:
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        wanted = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        if not wanted.items() <= form.items() or not form.get("scope", "").endswith("/.default"):
            said = f"AADSTS7000215: Invalid client secret provided: '{form.get('client_secret')}'."
            return as_json({"error": "invalid_client", "error_description": said}, 401)
        self.issued += 1
        token = f"synthetic-graph-token-canary-{self.issued}"
        self.access_tokens.add(token)
        return as_json({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _route(self, request: Request) -> Reply:
        path = request.path.removeprefix("/v1.0")
        counts = path.endswith("/$count")
        path = path.removesuffix("/$count")
        if counts and request.headers.get("consistencylevel") != "eventual":
            return _error(400, "Request_BadRequest", "$count is not currently supported.")
        if not counts and request.headers.get("consistencylevel"):
            return _error(400, "Request_UnsupportedQuery", "Unsupported query with advanced parameters.")
        need, records = self._records(path, request)
        if records is None:
            return _error(404, "Request_ResourceNotFound", "Resource does not exist.")
        columns = request.query.get("$select", "").split(",")
        needs = {need, *(_COLUMNS[column] for column in columns if column in _COLUMNS)}
        if not needs <= self.permissions:
            return _error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        if counts:
            return Reply(200, f"\ufeff{len(records) + self.off_by}".encode(), "text/plain")
        return self._page(request, records, columns)

    def _records(self, path: str, request: Request) -> tuple[str, list[dict[str, Any]] | None]:
        if path == "/users":
            return "User.Read.All", [self._user(user, request) for user in self.users]
        if path == "/groups":
            groups = [{"id": key, "displayName": name} for key, (name, _) in self.groups.items()]
            return "GroupMember.Read.All", groups
        if found := re.fullmatch(r"/groups/([^/]+)/members", path):
            if found[1] not in self.groups:
                return "GroupMember.Read.All", None
            return "GroupMember.Read.All", [
                {"id": key, "@odata.type": f"#microsoft.graph.{'group' if key in self.groups else 'user'}"}
                for key in self.groups[found[1]][1]
            ]
        if path == f"/servicePrincipals/{self.application}/appRoleAssignedTo":
            return "Application.Read.All", [
                {
                    "id": f"a{number:04}",
                    "principalId": principal,
                    "principalType": kind,
                    "principalDisplayName": "canary",
                    "appRoleId": "00000000-0000-0000-0000-000000000000",
                    "createdDateTime": "2025-06-01T00:00:00Z",
                }
                for number, (principal, kind) in enumerate(self.assigned)
            ]
        return "User.Read.All", None

    def _user(self, user: dict[str, Any], request: Request) -> dict[str, Any]:
        manager = next(
            (other for other in self.users if user["manager"] and other["id"] == user["manager"]["id"]), None
        )
        shown = {key: value for key, value in user.items() if key != "manager"}
        if "manager" in request.query.get("$expand", "") and manager is not None:
            shown["manager"] = {"@odata.type": "#microsoft.graph.user"} | {
                key: manager[key] for key in ("id", "mail", "userPrincipalName")
            }
        return shown

    def _page(self, request: Request, records: list[dict[str, Any]], columns: list[str]) -> Reply:
        records = sorted(records, key=lambda record: record["id"])
        limit = min(int(request.query.get("$top", "100")), self.most)
        after = request.query.get("$skiptoken", "")
        rest = [record for record in records if record["id"] > after]
        page = rest[:limit]
        shown = [
            {
                key: value
                for key, value in record.items()
                if columns == [""] or key in {*columns, "manager", "@odata.type"}
            }
            for record in page
        ]
        document: dict[str, Any] = {"@odata.context": f"{self.url}/v1.0/$metadata#{request.path}", "value": shown}
        if len(rest) > limit:
            query = urlencode({**request.query, "$skiptoken": page[-1]["id"]})
            document["@odata.nextLink"] = f"{self.url}{request.path}?{query}"
        return Reply(200, json.dumps(document).encode(), "application/json;odata.metadata=minimal")
