"""The preflight of one source: what is there, what is missing, and what to do about it, without reading it all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.clock import Clock, utc_now
from pipeline.errors import ConfigurationError, SourceError
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources.records import Records, read_json
from pipeline.sources.sisense.rest import Endpoint, Found, SisenseApi, read_count
from pipeline.sources.sisense.session import Session
from pipeline.sources.transport import Client, Sleep
from pipeline.spool import Principal
from pipeline.wording import counted

__all__ = ["Preflight", "PreflightCheck", "preflight"]

Result = Literal["ok", "warning", "failed"]

#: Roles whose list of accounts is unfiltered, by API name and by the name people see; the gate decides by rank.
_SEES_EVERYONE = frozenset({"super", "sys. admin", "sysadmin", "admin", "administrator"})
_SEES_ONE_TENANT = frozenset({"tenantadmin", "tenant admin"})
_MOST_SKEW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """One thing that was looked at. ``hint`` says what to do, and is empty where nothing has to be done.

    ``exit_code`` is what a failure of it means to a script.
    """

    name: str
    result: Result
    detail: str
    hint: str = ""
    exit_code: int = SourceError.exit_code


@dataclass(frozen=True, slots=True)
class Preflight:
    """All checks of one source, in the order in which they were made; the first that failed may be the last."""

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
    """Look at one source. What goes wrong there is a failed check, never an exception."""
    return asyncio.run(_Preflight(source, credentials).run(clock, sleep))


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
                session = Session(client, self.credentials, on_login=_ignore)
                instance = SisenseApi(client, session, _ignore)
                await instance.read_status()
                self.add("address", "ok", f"{self.source.url} answers")
                stage = "login"
                await session.token()
                stage = "users"
                users = await instance.find_users()
                self.add("login", "ok", _login(session))
                await self.look(instance, users)
        except (SourceError, ConfigurationError) as error:
            self.checks.append(
                PreflightCheck(stage, "failed", f"{error.message} — {error.where}", error.hint, error.exit_code)
            )
        return Preflight(self.source.name, tuple(self.checks))

    async def look(self, instance: SisenseApi, users: Endpoint) -> None:
        self.add("api", "ok", f"{instance.api}, users at {users.path}")
        principal = await instance.read_principal()
        count = await instance.find_count()
        total = (await instance.get(count, read_count))[1] if count else None
        await self.look_at_page(instance, users, total)
        roles = await instance.read_roles()
        groups = await instance.find_groups()
        self.checks.append(_role(principal.user_name or "the caller", _role_name(principal, roles)))
        self.add("rights", "ok", _RIGHTS)
        if instance.version:
            self.add("version", "ok", instance.version)
        if total is not None:
            self.add("users_count", "ok", counted(total, "account"))
        if roles is not None:
            self.add("roles", "ok", f"{roles.value.items} roles at {roles.endpoint.path}")
        if groups is not None:
            self.add("groups", "ok", f"groups at {groups.path}")
        for resource, loss in sorted(instance.missing.items()):
            self.add(resource, "warning", f"not there: {loss}", _MISSING_HINT)
        self.checks.append(_clock(instance.skew_seconds))

    async def look_at_page(self, instance: SisenseApi, users: Endpoint, total: int | None) -> None:
        asked = self.source.page_size
        _, page = await instance.get(users, instance.read_records, {"skip": 0, "limit": asked})
        detail = f"{counted(asked, 'account')} asked for, {page.items} came"
        if page.items > asked:
            self.add("page_size", "warning", f"{detail}: the server ignores the limit and sends the whole list")
        elif total is not None and page.items < min(asked, total):
            self.add("page_size", "warning", f"{detail}: the server caps a page", f"set page_size = {page.items}")
        else:
            self.add("page_size", "ok", detail)

    def add(self, name: str, result: Result, detail: str, hint: str = "") -> None:
        self.checks.append(PreflightCheck(name, result, detail, hint))


_MISSING_HINT = (
    "nothing, if this version of Sisense has no such endpoint; otherwise look at the account's permissions"
)


_RIGHTS = (
    "used: to read accounts, roles and groups; to change accounts, only by 'remediate apply' and 'users create', "
    "'update', 'deactivate' and 'delete' (and groups by 'scim group'); no other right of the role is used, and "
    "nothing but the login is sent to write by any other command"
)


def _ignore(*_: object) -> None:
    """Nothing is journalled in a preflight."""


def _transport(source: SourceSettings, credentials: Credentials) -> Iterator[PreflightCheck]:
    if source.warns_of_plain_http(credentials):
        yield PreflightCheck("transport", "warning", "the password travels over plain http", "use https in 'url'")
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
    """Return the caller's role by name: as the server says it, else as the list of roles calls its id."""
    if principal.role_name is not None or roles is None:
        return principal.role_name
    named = {role.get("_id"): role.get("name") for role in read_json(roles.value.kept)}
    name = named.get(principal.role_id)
    return name if isinstance(name, str) else None


def _role(who: str, name: str | None) -> PreflightCheck:
    if name is None:
        return PreflightCheck(
            "role", "warning", f"the role of {who} cannot be read", "make sure that it is an administrator's"
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
        f"{who} is {name}, to whom Sisense shows a filtered list of accounts",
        "give the account an administrator's role: without it no extract is complete",
    )


def _clock(skew: float | None) -> PreflightCheck:
    if skew is None:
        return PreflightCheck("clock", "warning", "the server does not say what time it is")
    if abs(skew) >= _MOST_SKEW_SECONDS:
        return PreflightCheck(
            "clock", "warning", f"the server's clock is {skew:+.0f} s from ours", "synchronise both clocks (NTP)"
        )
    return PreflightCheck("clock", "ok", f"the server's clock is {skew:+.0f} s from ours")
