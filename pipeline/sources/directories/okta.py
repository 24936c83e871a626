"""Okta: which addresses are read, which columns are kept, and what a missing permission costs.

Facts from Okta's published API (developer.okta.com/docs/api, "Users", "Groups", "Application Users"):

* ``GET /api/v1/users`` gives at most 200 a page, and leaves out deprovisioned users; a filter by status gives them.
* ``GET /api/v1/groups/{id}/users`` gives at most 1,000 a page.
* ``GET /api/v1/apps/{id}/users`` gives at most 500 a page, and holds direct assignments and those through a group
  (``scope`` USER or GROUP).
* The next page is in the header ``Link: <...>; rel="next"``. There is no count of users.
* The scopes of an OAuth client are ``okta.users.read``, ``okta.groups.read`` and ``okta.apps.read``. Which roles its
  credential has is at ``/api/v1/users/{id}/roles`` or ``/oauth2/v1/clients/{id}/roles``, for which a client needs
  ``okta.roles.read``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from pipeline.clock import Clock
from pipeline.errors import ConfigurationError, LoginError
from pipeline.settings import Credentials
from pipeline.sources.directories.endpoint import Directory, as_list, as_object, parsed, shape_of
from pipeline.sources.directories.linked import LinkedPage, Seen, ignore
from pipeline.sources.directories.tokens import ApiToken, ClientTokens, Issued, request_token, sign_assertion
from pipeline.sources.errors import RefusedError, UnreachableError, UnreadableError
from pipeline.sources.exchange import Reply
from pipeline.sources.transport import Client
from pipeline.spool import Observation, Principal

__all__ = ["Okta"]

_HINT = "check the credential; docs/okta.md says how to make one that may read and nothing else"
_TOKEN_PATH = "/oauth2/v1/token"  # noqa: S105  an address
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: The scopes of an OAuth client, and what is lost without them. The first one is necessary.
_SCOPES = ("okta.users.read", "okta.groups.read", "okta.apps.read", "okta.roles.read")
_USER = shape_of(
    "id",
    "status",
    "created",
    "statusChanged",
    "lastLogin",
    profile=(
        "login",
        "email",
        "firstName",
        "lastName",
        "displayName",
        "department",
        "title",
        "userType",
        "employeeNumber",
        "manager",
        "managerId",
    ),
)
_GROUP = shape_of("id", "type", profile=("name",))
_MEMBER = shape_of("id")
_ASSIGNMENT = shape_of("id", "scope", "status", "created", credentials=("userName",))
#: Administrator roles that see every user.
_SEES_EVERYONE = frozenset({"SUPER_ADMIN", "ORG_ADMIN", "READ_ONLY_ADMIN", "APP_ADMIN", "REPORT_ADMIN"})
#: Administrator roles that may be limited to some groups.
_SEES_GROUPS = frozenset({"USER_ADMIN", "HELP_DESK_ADMIN", "GROUP_MEMBERSHIP_ADMIN"})


class Okta:
    """One Okta organisation (see :class:`~pipeline.sources.directories.extract.DirectoryApi`)."""

    def __init__(self, client: Client, credentials: Credentials, clock: Clock) -> None:
        self._client = client
        self._credentials = credentials
        self._clock = clock
        self._roles: tuple[str, ...] | None = None
        self.api = "okta v1"
        self.permissions = {
            "users": "okta.users.read",
            "groups": "okta.groups.read",
            "members": "okta.groups.read",
            "assignments": "okta.apps.read",
        }
        self.principal = Principal()
        self.missing: dict[str, str] = {}
        self._tokens: ClientTokens | None = None
        if credentials.token is not None:
            self._directory = Directory(client, ApiToken(client, credentials.token, _HINT))
        else:
            self._tokens = ClientTokens(client, self._issue, clock, _HINT)
            self._directory = Directory(client, self._tokens)

    async def __aenter__(self) -> Okta:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: the client is closed where it was made."""

    @property
    def settings(self) -> dict[str, str]:
        """Return how it was read, for the record of the extract."""
        return {"login": "token" if self._tokens is None else "private_key_jwt"}

    async def open(self) -> None:
        """Learn who reads, and with which roles. Okta does not tell every credential.

        Raises:
            LoginError: the credential is refused.
        """
        owner = f"/oauth2/v1/clients/{self._credentials.username}"
        if self._tokens is None:
            me = await self._optional("/api/v1/users/me", as_object)
            if me is None:
                return
            login = (me.get("profile") or {}).get("login")
            user_id = str(me.get("id") or "")
            self.principal = Principal(user_name=str(login) if login else None, account_id=user_id or None)
            owner = f"/api/v1/users/{quote(user_id, safe='')}"
        else:
            self.principal = Principal(user_name=self._credentials.username)
            await self._tokens.token()
        roles = await self._optional(f"{owner}/roles", _roles)
        self._roles = roles

    def users(self) -> OktaList:
        """Return the list of users: those that the default list has, and the deprovisioned ones."""
        return self._list("/api/v1/users", _USER, 200, {}, {"filter": 'status eq "DEPROVISIONED"'})

    def groups(self) -> OktaList:
        """Return the list of groups."""
        return self._list("/api/v1/groups", _GROUP, 200, {})

    def members(self, group_id: str) -> OktaList:
        """Return the list of a group's members."""
        found = self._list(f"/api/v1/groups/{quote(group_id, safe='')}/users", _MEMBER, 1000, {})
        found.complete = {"group_id": group_id}
        return found

    def assignments(self, application: str) -> OktaList:
        """Return the list of users assigned to an application, directly or through a group."""
        return self._list(f"/api/v1/apps/{quote(application, safe='')}/users", _ASSIGNMENT, 500, {})

    def reads_members_of(self, group: dict[str, Any]) -> bool:
        """Return whether the members of a group are read. Those of Everyone are all users."""
        return group.get("type") != "BUILT_IN"

    def sees_everyone(self) -> Observation:
        """Check that the credential's role shows every user."""
        roles = self._roles or ()
        named = ", ".join(roles)
        is_limited = bool(roles) and _SEES_GROUPS.issuperset(roles)
        sees_all = not _SEES_EVERYONE.isdisjoint(roles)
        if is_limited:
            words = f"The credential has the role {named}, which may be limited to the users of some groups."
        elif sees_all:
            words = f"The credential has the role {named} and sees every user."
        elif roles:
            words = f"The credential has the role {named}; Okta does not tell whether it is limited to some users."
        else:
            words = "Okta does not tell this credential which role it has, so it may be limited to some users."
        return Observation(
            check_id="caller_sees_everyone",
            description="The account that read the source can see every account in it.",
            expected="a role for all users",
            observed=named or "not known",
            difference=None,
            result="FAIL" if is_limited else "PASS" if sees_all else "NOT_AVAILABLE",
            explanation=words,
        )

    def _list(self, path: str, shape: Any, most: int, *queries: dict[str, str]) -> OktaList:
        limit = min(most, self._client.source.page_size)
        starts = [f"{path}?{urlencode({'limit': limit, **query}, quote_via=quote)}" for query in queries]
        return OktaList(self._directory, starts, shape, limit)

    async def _optional(self, link: str, read: Any) -> Any:
        """Request what many credentials may not read; return None if this one may not."""
        try:
            _, value = await self._directory.get(link, read)
        except (RefusedError, UnreadableError):
            return None
        except UnreachableError:
            if not self._client.has_answered:
                raise
            return None
        return value

    async def _issue(self) -> Issued:
        """Obtain a token with all scopes, or with those that are granted to the client."""
        try:
            return await self._request(_SCOPES)
        except LoginError:
            granted = []
            for scope in _SCOPES[1:]:  # without the first one, nothing can be read
                try:
                    await self._request((_SCOPES[0], scope))
                except LoginError:
                    continue
                granted.append(scope)
            return await self._request((_SCOPES[0], *granted))

    async def _request(self, scopes: Sequence[str]) -> Issued:
        credentials, client = self._credentials, self._client
        if credentials.private_key is None or credentials.username is None:
            raise ConfigurationError(
                "no private key for the OAuth client", where=f"source '{client.source.name}'", hint=_HINT
            )
        variable = f"environment, {client.source.environment_prefix}_PRIVATE_KEY"
        audience = client.source.url + _TOKEN_PATH
        assertion = sign_assertion(credentials.private_key, credentials.username, audience, self._clock(), variable)
        client.redaction.add(assertion)
        form = {
            "scope": " ".join(scopes),
            "client_assertion_type": _ASSERTION,
            "client_assertion": assertion,
        }
        return await request_token(client, _TOKEN_PATH, form, _HINT)


class OktaList:
    """A list for :func:`pipeline.sources.directories.linked.read_linked`; ``complete`` is added to each record."""

    def __init__(self, directory: Directory, starts: Sequence[str], shape: Any, page_size: int) -> None:
        self._directory = directory
        self._shape = shape
        self.starts: Sequence[str] = starts
        self.page_size = page_size
        self.complete: dict[str, str] = {}

    async def page(self, link: str, seen: Seen = ignore) -> tuple[Reply, LinkedPage]:
        """Request one page (see :class:`~pipeline.sources.directories.linked.LinkedList`)."""
        return await self._directory.records(link, self._shape, complete=self.complete, list_of=as_list, seen=seen)

    async def count(self) -> int | None:
        """Return None: Okta counts nothing."""
        return None


def _roles(answer: Reply) -> tuple[str, ...]:
    """Read the list of roles that are assigned to a user or client."""
    roles, _ = as_list(parsed(answer.body))
    return tuple(sorted({str(role.get("type")) for role in roles if isinstance(role, dict)}))
