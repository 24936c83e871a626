"""Settings: one TOML file for what is not secret, the environment for what is.

Every key is checked: an unknown one is an error that names the file, the key and the nearest valid key. Relative
paths are relative to the file. Secrets live in :class:`Secret`, whose ``repr`` never shows them.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import hashlib
import ipaddress
import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pipeline.errors import ConfigurationError, MissingSecretError
from pipeline.spelling import nearest

__all__ = [
    "Credentials",
    "OrganizationSettings",
    "RosterSettings",
    "Secret",
    "Settings",
    "SourceSettings",
    "is_loopback",
    "load",
    "read_secret",
    "webhook_secret",
]

DEFAULT_PATH = Path("access-review.toml")
#: The columns of a roster. Only ``email`` is required.
ROSTER_COLUMNS = (
    "person_id",
    "email",
    "aliases",
    "display_name",
    "manager_email",
    "department",
    "title",
    "employment_status",
    "start_date",
    "end_date",
    "person_type",
)
_T = TypeVar("_T")
#: What people copy from the address bar of Sisense, or from a description of its API, behind the server's address.
_PAGE = re.compile(
    r"(/api(?:/v\d+(?:\.\d+)?)?(?:/(?:users|groups|roles|authentication)\b.*)?/*|"
    r"/app/(?:main|account|settings|profile|data|dashboards?|admin|login)\b.*|/login/*)$",
    re.IGNORECASE,
)
_SOURCE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that must never be shown. Call :meth:`reveal` only where it is sent."""

    _value: str

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the environment holds for one source. With a token, no password is ever tried."""

    username: str | None
    password: Secret | None
    token: Secret | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSettings:
    """Whose review this is. E-mail domains that are not listed are external."""

    name: str = "Unnamed organization"
    email_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseSettings:
    """Where the database is."""

    database: Path = Path("access-review.duckdb")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """Where report folders go, and how many rows of a long table the PDF shows; the CSV files have all."""

    directory: Path = Path("out")
    rows_per_table: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One instance to read. Times are in seconds, ``page_size`` in rows: the most that is asked for.

    ``scim_url`` is the SCIM endpoint beside a Sisense; a source of kind ``scim`` has it as ``url``.
    """

    name: str
    kind: Literal["sisense", "scim"]
    url: str
    scim_url: str | None = None
    username: str | None = None
    api: Literal["auto", "v1", "v0.9"] = "auto"
    page_size: int = 500
    concurrency: int = 4
    verify_tls: bool = True
    ca_bundle: Path | None = None
    timeout_seconds: float = 60
    max_attempts: int = 6
    give_up_after_seconds: float = 300

    @property
    def environment_prefix(self) -> str:
        """Return the start of the environment variables that hold this source's secrets."""
        return "ACCESS_REVIEW_" + self.name.upper().replace("-", "_")

    def warns_of_plain_http(self, credentials: Credentials) -> bool:
        """Say whether a password would travel unencrypted to another machine."""
        parts = urlsplit(self.url)
        return parts.scheme == "http" and not is_loopback(parts.hostname or "") and credentials.token is None

    def credentials(self, environment: Mapping[str, str]) -> Credentials:
        """Read this source's secrets from the environment.

        Raises:
            MissingSecretError: there is neither a token nor a user name with a password.
        """
        token = read_secret(environment, self.environment_prefix + "_TOKEN")
        # with a token, no password is ever tried, and one that cannot be used does not matter
        password = read_secret(environment, self.environment_prefix + "_PASSWORD") if token is None else None
        if token is None and (self.username is None or password is None):
            wanted = self.environment_prefix + ("_PASSWORD" if self.username else "_TOKEN")
            raise MissingSecretError(
                f"no credential for source '{self.name}'",
                where="environment",
                hint=f"set {wanted}, or {wanted}_FILE to the path of a file that holds it"
                + ("" if self.username else "; a password also needs 'username' in the configuration"),
            )
        return Credentials(self.username, password, token)

    def scim_token(self, environment: Mapping[str, str]) -> Secret | None:
        """Read the token of this source's SCIM endpoint from the environment; null if it has no such endpoint.

        Raises:
            MissingSecretError: there is an endpoint, and no token.
        """
        if self.kind != "scim" and self.scim_url is None:
            return None
        variable = self.environment_prefix + ("_TOKEN" if self.kind == "scim" else "_SCIM_TOKEN")
        token = read_secret(environment, variable)
        if token is None:
            raise MissingSecretError(
                f"no SCIM token for source '{self.name}'",
                where="environment",
                hint=f"set {variable}, or {variable}_FILE to the path of a file that holds it; "
                "in Sisense it is made under Admin > Security",
            )
        return token


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSettings:
    """Where the list of people comes from: a file, or the users of a source of kind ``scim``, by its name.

    ``preset`` is the product that exported the file, ``columns`` the file's own heading of a roster column.
    """

    path: Path | None = None
    source: str | None = None
    preset: Literal["entra", "okta", "google", "workday", "bamboohr"] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """Where the policy files are that override the defaults."""

    directory: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How long the rows of the extracts that ``watch`` makes are kept, in days; a report's stay."""

    keep_days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the program was told. ``rules`` is checked against the rule headers when they are read."""

    path: Path
    sha256: str
    organization: OrganizationSettings = field(default_factory=OrganizationSettings)
    warehouse: WarehouseSettings = field(default_factory=WarehouseSettings)
    reports: ReportSettings = field(default_factory=ReportSettings)
    sources: tuple[SourceSettings, ...] = ()
    roster: RosterSettings | None = None
    policy: PolicySettings | None = None
    watch: WatchSettings = field(default_factory=WatchSettings)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def source(self, name: str) -> SourceSettings:
        """Return one source by name.

        Raises:
            ConfigurationError: there is none of that name.
        """
        for source in self.sources:
            if source.name == name:
                return source
        raise ConfigurationError(
            f"there is no source '{name}'",
            where=str(self.path),
            hint=_suggest(name, [s.name for s in self.sources], "the sources are"),
        )


def load(path: Path) -> Settings:
    """Read and check a configuration file.

    Raises:
        ConfigurationError: the file is missing, is not TOML, or says something that makes no sense.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(
            "there is no configuration file",
            where=str(path),
            hint="run 'access-review init' to write one, or name yours with --config",
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"the configuration cannot be read: {error.strerror}",
            where=str(path),
            hint="check the path and its permissions",
        ) from error
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the configuration is not valid TOML: {error}",
            where=str(path),
            hint="correct that line; strings need quotes",
        ) from error
    return _Reader(path).settings(document, hashlib.sha256(content).hexdigest())


def webhook_secret(environment: Mapping[str, str]) -> Secret:
    """Read what events sent to a web address are signed with.

    Raises:
        MissingSecretError: there is none.
    """
    secret = read_secret(environment, "ACCESS_REVIEW_WEBHOOK_SECRET")
    if secret is None:
        raise MissingSecretError(
            "there is nothing to sign events with",
            where="environment",
            hint="set ACCESS_REVIEW_WEBHOOK_SECRET, or ACCESS_REVIEW_WEBHOOK_SECRET_FILE to a file that holds it",
        )
    return secret


def _suggest(name: str, valid: typing.Iterable[str], otherwise: str) -> str:
    names = sorted(valid)
    match = nearest(name, names)
    if match:
        return f"did you mean '{match}'?"
    return f"{otherwise}: {', '.join(names)}" if names else "there are none"


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_secret(environment: Mapping[str, str], variable: str) -> Secret | None:
    """Read a secret from a variable, or from the file that the variable with ``_FILE`` names; None if neither is set.

    Raises:
        ConfigurationError: it holds a line break, as a secret does that was copied or piped carelessly.
        MissingSecretError: the file cannot be read, or is empty.
    """
    if environment.get(variable):
        return _usable(environment[variable], variable, f"environment, {variable}")
    file = environment.get(variable + "_FILE")
    if not file:
        return None
    try:
        value = Path(file).read_text(encoding="utf-8-sig").rstrip("\r\n")  # a password may begin or end in a space
    except (OSError, UnicodeDecodeError) as error:
        raise MissingSecretError(
            f"the file that {variable}_FILE names cannot be read",
            where=file,
            hint="check the path and its permissions",
        ) from error
    if not value.strip():
        raise MissingSecretError(
            f"the file that {variable}_FILE names is empty", where=file, hint="put the secret in it, alone"
        )
    return _usable(value, f"{variable}_FILE", file)


def _usable(value: str, variable: str, where: str) -> Secret:
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", value):
        raise ConfigurationError(
            f"the secret in {variable} holds a line break or another character that no secret has",
            where=where,
            hint="copy it again, without spaces, line breaks or quotes around it",
        )
    return Secret(value)


class _Reader:
    """Turns the TOML document into settings; it exists to carry the file's path into every message."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.base = path.resolve().parent

    def settings(self, document: dict[str, Any], sha256: str) -> Settings:
        self.known(document, {f.name for f in dataclasses.fields(Settings)} - {"path", "sha256"}, "")
        sources = tuple(
            self.source(name, self.table(value, f"sources.{name}"))
            for name, value in self.table(document.get("sources", {}), "sources").items()
        )
        self.distinct_secrets(sources)
        rules = self.table(document.get("rules", {}), "rules")
        reports = self.section(ReportSettings, document, "reports")
        if reports.rows_per_table < 1:
            raise self.error("reports.rows_per_table", "the value must be 1 or more", "leave the key out for 200")
        watch = self.section(WatchSettings, document, "watch")
        if watch.keep_days < 1:
            raise self.error("watch.keep_days", "the value must be 1 or more", "leave the key out for 7")
        warehouse = self.section(WarehouseSettings, document, "warehouse")
        self.check_database(warehouse.database)
        return Settings(
            path=self.path,
            sha256=sha256,
            organization=self.section(OrganizationSettings, document, "organization"),
            warehouse=warehouse,
            reports=reports,
            sources=sources,
            roster=self.roster(document, sources) if "roster" in document else None,
            policy=self.section(PolicySettings, document, "policy") if "policy" in document else None,
            watch=watch,
            rules={name: self.table(value, f"rules.{name}") for name, value in rules.items()},
        )

    def source(self, name: str, table: dict[str, Any]) -> SourceSettings:
        where = f"sources.{name}"
        if not _SOURCE_NAME.fullmatch(name):
            raise self.error(
                where, f"the source name '{name}' cannot be used", "use a-z, 0-9, '-' and '_', a letter first"
            )
        self.known(table, {f.name for f in dataclasses.fields(SourceSettings)} - {"name"}, where)
        source = self.build(SourceSettings, {"name": name, **table}, where)
        self.check_url(source.url, f"{where}.url", is_sisense=source.kind == "sisense")
        if source.scim_url is not None:
            if source.kind == "scim":
                raise self.error(f"{where}.scim_url", "a source of kind scim has one address", "use 'url' alone")
            self.check_url(source.scim_url, f"{where}.scim_url")
        for key in ("page_size", "concurrency", "max_attempts", "timeout_seconds", "give_up_after_seconds"):
            if not 0 < getattr(source, key) < math.inf:
                raise self.error(
                    f"{where}.{key}", "the value must be a number above zero", "leave the key out for the default"
                )
        return dataclasses.replace(
            source, url=source.url.rstrip("/"), scim_url=source.scim_url.rstrip("/") if source.scim_url else None
        )

    def roster(self, document: dict[str, Any], sources: tuple[SourceSettings, ...]) -> RosterSettings:
        roster = self.section(RosterSettings, document, "roster")
        for key in ("preset", "columns"):
            if roster.source is not None and getattr(roster, key):
                raise self.error(
                    f"roster.{key}", f"'{key}' says how a file is read", "use it with 'path', or leave it out"
                )
        self.known(roster.columns, set(ROSTER_COLUMNS), "roster.columns")
        if (roster.path is None) == (roster.source is None):
            raise self.error(
                "roster.path",
                "[roster] needs either 'path' or 'source'",
                'name a file with path = "people.csv", or an identity provider with source = "idp"',
            )
        providers = [source.name for source in sources if source.kind == "scim"]
        if roster.source is not None and roster.source not in providers:
            raise self.error(
                "roster.source",
                f"there is no source '{roster.source}' of kind scim",
                _suggest(roster.source, providers, "the sources of kind scim are"),
            )
        return roster

    def check_database(self, path: Path) -> None:
        """Refuse a path that DuckDB takes for another one: it stops at '?', and reads a backslash as a slash."""
        for part in path.parts[1:]:
            shown = part.encode(errors="backslashreplace").decode()
            if shown != part:
                odd = "bytes that are not UTF-8"
            elif found := re.search(r"[?\\]" if os.sep == "/" else r"\?", part):
                odd = f"'{found[0]}'"
            else:
                continue
            raise self.error(
                "warehouse.database",
                f"DuckDB cannot open a database whose path contains {odd}: {shown}",
                "rename that, or keep the database elsewhere: database = '/another/folder/access-review.duckdb'",
            )

    def check_address(self, url: str, where: str) -> None:
        """Refuse the address of a page or of an endpoint: the program adds the paths of the API itself."""
        found = _PAGE.search(url)
        if found:
            raise self.error(
                where,
                f"'url' ends in {found[1]}, which is not part of the server's address",
                f'write it without that: url = "{url[: found.start()]}"',
            )

    def check_url(self, url: str, where: str, *, is_sisense: bool = False) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname
            _ = parts.port
        except ValueError:  # its text quotes what stands where the port should be: part of a password, perhaps
            raise self.error(
                where, "this is not the web address of a server", "write it as https://bi.example.com"
            ) from None
        if parts.username is not None or parts.password is not None:
            raise self.error(
                where,
                "credentials inside a URL are refused",
                "put them in the environment; see 'access-review init'",
            )
        if is_sisense:
            self.check_address(url, where)
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
            raise self.error(where, "this is not the web address of a server", "write it as https://bi.example.com")

    def distinct_secrets(self, sources: tuple[SourceSettings, ...]) -> None:
        seen: dict[str, str] = {}
        for source in sources:
            other = seen.setdefault(source.environment_prefix, source.name)
            if other != source.name:
                raise self.error(
                    f"sources.{source.name}",
                    f"the sources '{other}' and '{source.name}' share the variables {source.environment_prefix}_*",
                    "rename one of them",
                )

    def section(self, kind: type[_T], document: dict[str, Any], key: str) -> _T:
        return self.build(kind, self.table(document.get(key, {}), key), key)

    def build(self, kind: type[_T], table: dict[str, Any], where: str) -> _T:
        fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
        self.known(table, set(fields), where)
        hints = typing.get_type_hints(kind)
        values = {key: self.value(hints[key], value, f"{where}.{key}") for key, value in table.items()}
        for name, spec in fields.items():
            if (
                name not in values
                and spec.default is dataclasses.MISSING
                and spec.default_factory is dataclasses.MISSING
            ):
                raise self.error(
                    f"{where}.{name}", f"the key '{name}' is missing from [{where}]", f"add {name} = ..."
                )
            if isinstance(spec.default, Path) and name not in values:
                values[name] = self.base / spec.default
        return kind(**values)

    def value(self, wanted: Any, value: Any, where: str) -> Any:
        origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
        if origin in {types.UnionType, typing.Union}:
            return self.value(next(a for a in arguments if a is not types.NoneType), value, where)
        if origin is Literal:
            if value not in arguments:
                raise self.error(
                    where,
                    f"{value!r} is not one of the values",
                    "use " + " or ".join(f'"{a}"' for a in arguments),
                )
            return value
        if origin is collections.abc.Mapping:
            table = self.table(value, where)
            for key, text in table.items():
                if not isinstance(text, str) or not text.strip():
                    raise self.error(
                        f"{where}.{key}", "the value must be a heading of the file", 'write it as "Work Email"'
                    )
            return table
        if origin is tuple:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise self.error(where, "the value must be a list of strings", 'write it as ["one", "two"]')
            return tuple(value)
        if wanted is Path and isinstance(value, str) and "\0" in value:
            raise self.error(where, "a path cannot contain the character U+0000", "write the path without it")
        if wanted is Path and isinstance(value, str) and value:
            try:
                return self.base / Path(value).expanduser()
            except RuntimeError as error:
                raise self.error(where, f"nobody's home is '{value}'", "write the path in full") from error
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, wanted) and not (wanted in (int, float) and isinstance(value, bool)):
            return value
        name = {
            str: "a string",
            int: "a whole number",
            float: "a number",
            bool: "true or false",
            Path: "a path",
        }[wanted]
        raise self.error(where, f"the value must be {name}, and {value!r} is not", "correct the value")

    def table(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(where, f"'{where}' must be a table", f"write it as [{where}]")
        return value

    def known(self, table: Mapping[str, Any], valid: set[str], where: str) -> None:
        for key in table:
            if key not in valid:
                full = f"{where}.{key}" if where else key
                raise self.error(full, f"unknown key '{full}'", _suggest(key, valid, "the keys are"))

    def error(self, key: str, message: str, hint: str) -> ConfigurationError:
        return ConfigurationError(message, where=f"{self.path}, {key}", hint=hint)
