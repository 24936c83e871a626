"""Reads the configuration file and checks its values."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import itertools
import math
import os
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline import resources
from pipeline.addresses import AddressError, read_address
from pipeline.errors import ConfigurationError
from pipeline.settings.evidence import read_evidence
from pipeline.settings.review import read_cadence, read_mail, read_web
from pipeline.settings.sections import (
    DEFAULT_PATH,
    ROSTER_COLUMNS,
    DueDaysSettings,
    LicencePriceSettings,
    OrganizationSettings,
    PolicySettings,
    ReportSettings,
    RosterSettings,
    Settings,
    SourceSettings,
    WarehouseSettings,
    WatchSettings,
)
from pipeline.settings.tables import TableReader
from pipeline.spelling import suggestion

__all__ = ["SOURCE_NAME", "load_settings"]

#: Paths that people copy along with the server's address, from the address bar of Sisense or from its API docs.
_PAGE = re.compile(
    r"(/api(?:/v\d+(?:\.\d+)?)?(?:/(?:users|groups|roles|authentication)\b.*)?/*|"
    r"/app/(?:main|account|settings|profile|data|dashboards?|admin|login)\b.*|/login/*)$",
    re.IGNORECASE,
)
#: What the name of a source looks like.
SOURCE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
#: A code or a sign: EUR, US$, kr.
_CURRENCY = re.compile(r"[^\W\d_]{1,4}[$]?|\S")
_HIGHEST_PRICE = 1_000_000_000
#: Keys of a source that only directories have, with the kinds they belong to.
_DIRECTORY_KEYS = {
    "application": ("okta", "entra"),
    "client_id": ("okta", "entra"),
    "tenant": ("entra",),
    "authority": ("entra",),
}
#: An id, or the domain name of a tenant.
_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]+")
#: The default ``page_size`` of a directory: no directory gives larger pages.
_DIRECTORY_PAGE = 1000
#: Keys of a source of kind ``files``, and of no other.
_FILE_KEYS = {"path", "format"}
_MOST_DUE_DAYS = 3650
#: Keys of a source whose value must be above zero.
_POSITIVE = ("page_size", "concurrency", "max_attempts", "timeout_seconds", "give_up_after_seconds")


def load_settings(path: Path | str = DEFAULT_PATH) -> Settings:
    """Read and check a configuration file.

    Raises:
        ConfigurationError: the file is missing, is not TOML, or a key or value of it is wrong.
    """
    path = Path(path)
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
    return _settings(TableReader(path), document, hashlib.sha256(content).hexdigest())


def _settings(reader: TableReader, document: dict[str, Any], sha256: str) -> Settings:
    keys = {field.name for field in dataclasses.fields(Settings)} - {"path", "sha256"}
    reader.require_known(document, keys, "")
    sources = tuple(
        _source(reader, name, reader.table(value, f"sources.{name}"))
        for name, value in reader.table(document.get("sources", {}), "sources").items()
    )
    _require_distinct_secrets(reader, sources)
    rules = reader.table(document.get("rules", {}), "rules")
    reports = reader.section(ReportSettings, document, "reports")
    if reports.rows_per_table < 1:
        raise reader.error("reports.rows_per_table", "the value must be 1 or more", "leave the key out for 200")
    watch = reader.section(WatchSettings, document, "watch")
    if watch.keep_days < 1:
        raise reader.error("watch.keep_days", "the value must be 1 or more", "leave the key out for 7")
    warehouse = reader.section(WarehouseSettings, document, "warehouse")
    _check_database(reader, warehouse.database)
    return Settings(
        path=reader.path,
        sha256=sha256,
        organization=reader.section(OrganizationSettings, document, "organization"),
        warehouse=warehouse,
        reports=reports,
        sources=sources,
        roster=_roster(reader, document, sources) if "roster" in document else None,
        policy=_policy(reader, document) if "policy" in document else None,
        watch=watch,
        web=read_web(reader, document),
        mail=read_mail(reader, document),
        cadence=read_cadence(reader, document),
        licence_price=_licence_price(reader, document),
        due_days=_due_days(reader, document),
        evidence=read_evidence(reader, document),
        rules={name: reader.table(value, f"rules.{name}") for name, value in rules.items()},
    )


def _source(reader: TableReader, name: str, table: dict[str, Any]) -> SourceSettings:
    where = f"sources.{name}"
    if not SOURCE_NAME.fullmatch(name):
        raise reader.error(
            where, f"the source name '{name}' cannot be used", "use a-z, 0-9, '-' and '_', a letter first"
        )
    keys = {f.name for f in dataclasses.fields(SourceSettings)} - {"name"}
    if table.get("kind") == "files":
        return _file_source(reader, name, table, keys)
    reader.require_choice(SourceSettings, table, "kind", where)  # first: a wrong kind makes right keys look unknown
    reader.require_known(table, keys - _FILE_KEYS, where)
    if "url" not in table:
        raise reader.error(f"{where}.url", f"the key 'url' is missing from [{where}]", "add url = ...")
    source = reader.build(SourceSettings, {"name": name, **table}, where)
    _check_url(reader, source.url, f"{where}.url", is_sisense=source.kind == "sisense")
    if source.scim_url is not None:
        if source.kind == "scim":
            raise reader.error(f"{where}.scim_url", "a source of kind scim has one address", "use 'url' alone")
        _check_url(reader, source.scim_url, f"{where}.scim_url")
    source = _directory(reader, source, table, where)
    for key in _POSITIVE:
        if not 0 < getattr(source, key) < math.inf:
            raise reader.error(
                f"{where}.{key}", "the value must be a number above zero", "leave the key out for the default"
            )
    return dataclasses.replace(
        source, url=source.url.rstrip("/"), scim_url=source.scim_url.rstrip("/") if source.scim_url else None
    )


def _directory(reader: TableReader, source: SourceSettings, table: dict[str, Any], where: str) -> SourceSettings:
    """Check the keys that only directories have, and give a directory its own default of ``page_size``."""
    for key, kinds in _DIRECTORY_KEYS.items():
        if key in table and source.kind not in kinds:
            raise reader.error(
                f"{where}.{key}",
                f"'{key}' belongs to a source of kind {' or '.join(kinds)}",
                "leave it out, or correct 'kind'",
            )
    if source.kind == "entra":
        _check_url(reader, source.authority, f"{where}.authority")
        for key in ("tenant", "client_id"):
            if not getattr(source, key):
                raise reader.error(
                    f"{where}.{key}", f"the key '{key}' is missing from [{where}]", f'add {key} = "..."'
                )
    for key in sorted(_DIRECTORY_KEYS.keys() - {"authority"}):
        value = getattr(source, key)
        if value is not None and not _IDENTIFIER.fullmatch(value):  # it becomes part of an address
            raise reader.error(f"{where}.{key}", f"'{key}' is not an id", "copy the id as the directory shows it")
    if source.is_directory and "page_size" not in table:
        return dataclasses.replace(source, page_size=_DIRECTORY_PAGE, authority=source.authority.rstrip("/"))
    return dataclasses.replace(source, authority=source.authority.rstrip("/"))


def _file_source(reader: TableReader, name: str, table: dict[str, Any], keys: set[str]) -> SourceSettings:
    """Return a source of kind ``files``, which has a path and nothing to connect to."""
    where = f"sources.{name}"
    for key in table:
        if key in keys - _FILE_KEYS - {"kind"}:
            raise reader.error(
                f"{where}.{key}", f"a source of kind files has no '{key}'", "use 'path' and, if needed, 'format'"
            )
    if "path" not in table:
        raise reader.error(
            f"{where}.path",
            f"the key 'path' is missing from [{where}]",
            'name the folder or file of the application: path = "hr_app"',
        )
    return reader.build(SourceSettings, {"name": name, **table}, where)


def _roster(reader: TableReader, document: dict[str, Any], sources: tuple[SourceSettings, ...]) -> RosterSettings:
    roster = reader.section(RosterSettings, document, "roster")
    for key in ("preset", "columns"):
        if roster.source is not None and getattr(roster, key):
            raise reader.error(
                f"roster.{key}", f"'{key}' describes a roster file", "use it with 'path', or leave it out"
            )
    reader.require_known(roster.columns, set(ROSTER_COLUMNS), "roster.columns")
    if (roster.path is None) == (roster.source is None):
        raise reader.error(
            "roster.path",
            "[roster] needs either 'path' or 'source'",
            'name a file with path = "people.csv", or an identity provider with source = "idp"',
        )
    providers = [source.name for source in sources if source.kind == "scim" or source.is_directory]
    if roster.source is not None and roster.source not in providers:
        raise reader.error(
            "roster.source",
            f"there is no source '{roster.source}' of kind scim, okta or entra",
            suggestion(roster.source, providers, "the sources of these kinds are"),
        )
    return roster


def _policy(reader: TableReader, document: dict[str, Any]) -> PolicySettings:
    policy = reader.section(PolicySettings, document, "policy")
    if policy.default_owner is None:
        if policy.directory is None:
            raise reader.error(
                "policy.directory", "the key 'directory' is missing from [policy]", 'add directory = "policy"'
            )
        return policy
    try:
        owner = read_address(policy.default_owner)
        if not owner[0].isalnum():  # a spreadsheet would run it
            raise AddressError(f"'{owner}' is not an e-mail address")
    except AddressError as error:
        raise reader.error("policy.default_owner", str(error), "write it as ann@example.com") from error
    return dataclasses.replace(policy, default_owner=owner)


def _due_days(reader: TableReader, document: dict[str, Any]) -> DueDaysSettings:
    due_days = reader.section(DueDaysSettings, document, "due_days")
    for severity, days in due_days.by_severity().items():
        if not 0 <= days <= _MOST_DUE_DAYS:
            raise reader.error(
                f"due_days.{severity}",
                f"the value must be a number of days from 0 to {_MOST_DUE_DAYS}",
                "0 means the day on which the finding was first seen; leave the key out for the default",
            )
    with (resources.reference_data() / "severities.csv").open(encoding="utf-8", newline="") as file:
        days_of = {row["severity"]: int(row["days_to_fix"]) for row in csv.DictReader(file) if row["days_to_fix"]}
    days_of |= due_days.by_severity()
    for severe, mild in itertools.pairwise(days_of):
        if days_of[severe] > days_of[mild]:
            raise reader.error(
                f"due_days.{severe}",
                f"findings of severity {severe} would be due after {days_of[severe]} days, later than {mild} ones "
                f"({days_of[mild]} days)",
                "let the days rise from critical to low; a severity that is not set has its default",
            )
    return due_days


def _licence_price(reader: TableReader, document: dict[str, Any]) -> LicencePriceSettings:
    price = reader.section(LicencePriceSettings, document, "licence_price")
    prices = price.by_class()
    for seat_class, value in prices.items():
        if not 0 <= value < _HIGHEST_PRICE:
            raise reader.error(
                f"licence_price.{seat_class}",
                f"the value must be a price from 0 to less than {_HIGHEST_PRICE:,}",
                "write what one seat costs, as 1200 or 99.50",
            )
    if prices and price.currency is None:
        raise reader.error(
            "licence_price.currency", "the key 'currency' is missing from [licence_price]", 'add currency = "EUR"'
        )
    if price.currency is not None and not _CURRENCY.fullmatch(price.currency):
        raise reader.error(
            "licence_price.currency", f"'{price.currency}' is not a currency", 'write its code, as "EUR" or "USD"'
        )
    return price


def _check_database(reader: TableReader, path: Path) -> None:
    """Reject a path that DuckDB would read as another one: it stops at '?', and takes a backslash for a slash."""
    for part in path.parts[1:]:
        shown = part.encode(errors="backslashreplace").decode()
        if shown != part:
            reason = "bytes that are not UTF-8"
        elif found := re.search(r"[?\\]" if os.sep == "/" else r"\?", part):
            reason = f"'{found[0]}'"
        else:
            continue
        raise reader.error(
            "warehouse.database",
            f"DuckDB cannot open a database whose path contains {reason}: {shown}",
            "rename that folder or file, or keep the database elsewhere: "
            "database = '/another/folder/access-review.duckdb'",
        )


def _check_url(reader: TableReader, url: str, where: str, *, is_sisense: bool = False) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:  # its text quotes what stands where the port should be, which may be part of a password
        raise reader.error(
            where, "this is not the web address of a server", "write it as https://bi.example.com"
        ) from None
    if parts.username is not None or parts.password is not None:
        raise reader.error(
            where, "credentials inside a URL are refused", "put them in the environment; see 'access-review init'"
        )
    page = _PAGE.search(url) if is_sisense else None
    if page:  # the program adds the paths of the API itself
        raise reader.error(
            where,
            f"'url' ends in {page[1]}, which is not part of the server's address",
            f'write it without that: url = "{url[: page.start()]}"',
        )
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise reader.error(where, "this is not the web address of a server", "write it as https://bi.example.com")


def _require_distinct_secrets(reader: TableReader, sources: tuple[SourceSettings, ...]) -> None:
    seen: dict[str, str] = {}
    for source in sources:
        other = seen.setdefault(source.environment_prefix, source.name)
        if other != source.name:
            raise reader.error(
                f"sources.{source.name}",
                f"the sources '{other}' and '{source.name}' share the variables {source.environment_prefix}_*",
                "rename one of them",
            )
