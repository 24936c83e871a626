"""The preflight of one Sisense: what is there, what is missing and what to do, without reading every account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.clock import Clock, utc_now
from pipeline.errors import ConfigurationError, SourceError
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources import event_loop
from pipeline.sources.records import Records, read_json
from pipeline.sources.retries import Sleep
from pipeline.sources.sisense.object_probe import probe_objects
from pipeline.sources.sisense.rest import Endpoint, Found, SisenseApi
from pipeline.sources.sisense.session import Session
from pipeline.sources.transport import Client
from pipeline.spool import Principal
from pipeline.wording import counted

__all__ = ["Preflight", "PreflightCheck", "preflight"]

Result = Literal["ok", "warning", "failed"]

#: Roles that see an unfiltered list of accounts, by API name and display name. The gate check decides by rank.
_SEES_EVERYONE = frozenset({"super", "sys. admin", "sysadmin", "admin", "administrator"})
_SEES_ONE_TENANT = frozenset({"tenantadmin", "tenant admin"})
_MOST_SKEW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """One thing that was checked. ``hint`` says what to do, and is empty if nothing has to be done.

    ``exit_code`` is that of the command if this check failed.
    """

    name: str
    result: Result
    detail: str
    hint: str = ""
    exit_code: int = SourceError.exit_code


@dataclass(frozen=True, slots=True)
class Preflight:
    """All checks of one source, in the order in which they were made. A failure may have ended them."""

    source: str
    checks: tuple[PreflightCheck, ...]

    @property
    def result(self) -> Result:
        """Return the worst result."""
        found = {check.result for check in self.checks}
        return "failed" if "failed" in found else "warning" if "warning" in found else "ok"


def preflight(
    source: SourceSettings,
    credentials: Credentials,
    *,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> Preflight:
    """Check one source. Trouble with it is a failed check, never an exception."""
    return event_loop.run(_Preflight(source, credentials).run(clock, sleep))


class _Preflight:
    def __init__(self, source: SourceSettings, credentials: Credentials) -> None:
        self.source = source
        self.credentials = credentials
        self.checks: list[PreflightCheck] = []

    async def run(self, clock: Clock, sleep: Sleep) -> Preflight:
        self.checks += _transport(self.source, self.credentials)
        stage = "address"
        try:
            async with Client(self.source, clock=clock, sleep=sleep) as client:
                session = Session(client, self.credentials)
                api = SisenseApi(client, session)
                await api.read_status()
                self.add("address", "ok", f"{self.source.url} answers")
                stage = "login"
                await session.token()
                stage = "users"
                users = await api.find_users()
                self.add("login", "ok", _login(session))
                await self.check_lists(api, users.endpoint)
        except (SourceError, ConfigurationError) as error:
            self.checks.append(
                PreflightCheck(stage, "failed", f"{error.message} — {error.where}", error.hint, error.exit_code)
            )
        return Preflight(self.source.name, tuple(self.checks))

    async def check_lists(self, api: SisenseApi, users: Endpoint) -> None:
        self.add("api", "ok", f"{api.flavour}, users at {users.path}")
        principal = await api.read_principal()
        count = await api.find_count()
        total = count.value if count is not None else None
        await self.check_page_size(api, users, total)
        roles = await api.read_roles()
        groups = await api.find_groups()
        self.checks.append(_role(principal.user_name or "the caller", _role_name(principal, roles)))
        self.add("rights", "ok", _RIGHTS)
        if api.version:
            self.add("version", "ok", api.version)
        if total is not None:
            self.add("users_count", "ok", counted(total, "account"))
        if roles is not None:
            self.add("roles", "ok", f"{roles.value.items} roles at {roles.endpoint.path}")
        if groups is not None:
            self.add("groups", "ok", f"groups at {groups.endpoint.path}")
        for resource, loss in sorted(api.missing.items()):
            self.add(resource, "warning", f"not found: {loss}", _MISSING_HINT)
        if self.source.objects is not False:
            await self.check_objects(api)
        self.checks.append(_clock(api.skew_seconds))

    async def check_objects(self, api: SisenseApi) -> None:
        readable, lost = await probe_objects(api)
        detail = f"{', '.join(readable) or 'no list'} can be read"
        if lost:
            detail += "; not available: " + ", ".join(f"{name} ({reason})" for name, reason in lost.items())
        is_expected = self.source.objects is True
        self.add("objects", "warning" if lost and is_expected else "ok", detail, _OBJECTS_HINT if lost else "")

    async def check_page_size(self, api: SisenseApi, users: Endpoint, total: int | None) -> None:
        page_size = self.source.page_size
        _, page = await api.get(users, api.read_records, {"skip": 0, "limit": page_size})
        detail = f"{counted(page_size, 'account')} requested, {page.items} received"
        if page.items > page_size:
            self.add("page_size", "warning", f"{detail}: the server ignores the limit and sends the whole list")
        elif total is not None and page.items < min(page_size, total):
            self.add("page_size", "warning", f"{detail}: the server caps a page", f"set page_size = {page.items}")
        else:
            self.add("page_size", "ok", detail)

    def add(self, name: str, result: Result, detail: str, hint: str = "") -> None:
        self.checks.append(PreflightCheck(name, result, detail, hint))


_OBJECTS_HINT = "nothing, if the report needs no more; docs/objects.md says which permission each list needs"
_MISSING_HINT = "nothing, if this version of Sisense has no such endpoint; otherwise check the account's permissions"


_RIGHTS = (
    "accounts, roles and groups are read; only 'remediate apply', 'users create', 'update', 'deactivate' and "
    "'delete', and 'scim group' change anything; no other right of the role is used"
)


def _transport(source: SourceSettings, credentials: Credentials) -> Iterator[PreflightCheck]:
    for warning in source.warns_of_plain_http(credentials):
        yield PreflightCheck("transport", "warning", warning, "use https")
    if source.url.startswith("https:") and not source.verify_tls:
        yield PreflightCheck(
            "transport",
            "warning",
            "the server's certificate is not verified",
            "set 'ca_bundle' to the CA that signed it, and leave 'verify_tls' out",
        )


def _login(session: Session) -> str:
    if session.style == "token":
        return "the API token is accepted"
    return f"the password is accepted ({session.style} login at {session.path})"


def _role_name(principal: Principal, roles: Found[Records] | None) -> str | None:
    """Return the name of the caller's role, from the server or else from the list of roles."""
    if principal.role_name is not None or roles is None:
        return principal.role_name
    named = {role.get("_id"): role.get("name") for role in read_json(roles.value.kept)}
    name = named.get(principal.role_id)
    return name if isinstance(name, str) else None


def _role(who: str, name: str | None) -> PreflightCheck:
    if name is None:
        return PreflightCheck(
            "role", "warning", f"the role of {who} cannot be read", "make sure that it is an administrator's role"
        )
    if name.lower() in _SEES_EVERYONE:
        return PreflightCheck("role", "ok", f"{who} is {name}")
    if name.lower() in _SEES_ONE_TENANT:
        return PreflightCheck(
            "role",
            "warning",
            f"{who} is {name}, who sees the accounts of one tenant",
            "with several tenants, use an administrator of the system tenant",
        )
    return PreflightCheck(
        "role",
        "failed",
        f"{who} is {name}, and Sisense filters the list of accounts for that role",
        "give the account an administrator's role: without it no extract is complete",
    )


def _clock(skew: float | None) -> PreflightCheck:
    if skew is None:
        return PreflightCheck("clock", "warning", "the server does not send its time")
    if abs(skew) >= _MOST_SKEW_SECONDS:
        return PreflightCheck(
            "clock", "warning", f"the server's clock is {skew:+.0f} s from ours", "synchronise both clocks (NTP)"
        )
    return PreflightCheck("clock", "ok", f"the server's clock is {skew:+.0f} s from ours")
