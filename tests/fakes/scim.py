"""A real SCIM server, scim2-server, on loopback, with faults between it and its clients."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_provider

from tests.fakes.http import Reply, Request

TOKEN = "synthetic-scim-token-canary"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
Document = dict[str, Any]
Change = Callable[[Request, Document], Any]


class RealScim:
    """The server and its records.

    ``before`` may reply in place of the server, or change the query; ``after`` may change the document of an answer.
    """

    def __init__(self, users: int, groups: int) -> None:
        self._app = WSGIApplication(InMemoryStorage(), load_default_provider())
        self.users: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}
        for number in range(users):
            created = self._create(
                "/Users",
                {
                    "schemas": [USER],
                    "userName": f"user{number}@example.com",
                    "active": number % 7 != 0,
                    "emails": [{"value": f"user{number}@example.com", "primary": True}],
                },
            )
            self.users[created["id"]] = created
        ids = list(self.users)
        for number in range(groups):
            members = [{"value": ids[(number * 13 + step) % users]} for step in range(5)]
            created = self._create(
                "/Groups", {"schemas": [GROUP], "displayName": f"Group {number}", "members": members}
            )
            self.groups[created["id"]] = created
        self.before: Callable[[Request, dict[str, str]], Reply | None] = lambda request, query: None
        self.after: Change = lambda request, document: document

    def _create(self, path: str, document: Document) -> Document:
        status, body = self._call("POST", path, {}, json.dumps(document).encode())
        assert status == 201, body
        return json.loads(body)

    def _call(self, method: str, path: str, query: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
        answered: list[str] = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": f"/v2{path}",
            "SCRIPT_NAME": "",
            "QUERY_STRING": urlencode(query),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": "application/scim+json",
            "CONTENT_LENGTH": str(len(body)),
        }
        chunks = self._app(environ, lambda status, headers, _=None: answered.append(status))
        content = b"".join(chunks)
        return int(answered[0].split()[0]), content

    def answer(self, request: Request) -> Reply:
        """Answer a request, for :class:`~tests.fakes.http.HttpServer`."""
        if request.bearer != TOKEN:
            return Reply(401, b'{"detail": "no"}')
        query = dict(request.query)
        if (reply := self.before(request, query)) is not None:
            return reply
        status, body = self._call(request.method, request.path.removeprefix("/scim/v2"), query)
        if status == 200:
            body = json.dumps(self.after(request, json.loads(body))).encode()
        return Reply(status, body, "application/scim+json")
