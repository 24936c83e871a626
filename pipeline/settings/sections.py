"""The sections of the configuration file, as frozen dataclasses with their defaults.

The text in the annotation of each key is its description in ``docs/reference/configuration.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pipeline.errors import ConfigurationError, MissingSecretError
from pipeline.settings.evidence import EvidenceSettings
from pipeline.settings.hosts import is_loopback
from pipeline.settings.place import DEFAULT_PATH
from pipeline.settings.review import CadenceSettings, MailSettings, WebSettings
from pipeline.settings.secret import Credentials, Secret, read_directory_credentials, read_secret
from pipeline.spelling import suggestion

__all__ = [
    "DEFAULT_PATH",
    "DIRECTORY_KINDS",
    "ROSTER_COLUMNS",
    "DueDaysSettings",
    "LicencePriceSettings",
    "OrganizationSettings",
    "PolicySettings",
    "ReportSettings",
    "RosterSettings",
    "Settings",
    "SourceSettings",
    "WarehouseSettings",
    "WatchSettings",
]

#: The kinds of sources that are directories.
DIRECTORY_KINDS = ("okta", "entra")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSettings:
    """The organization under review. E-mail domains that are not listed are external."""

    name: Annotated[str, "The name of the organization, as reports show it."] = "Unnamed organization"
    email_domains: Annotated[
        tuple[str, ...], "Its e-mail domains. Accounts with an address in any other domain are external."
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseSettings:
    """Where the database is, and what runs the models after staging.

    The engine ``spark`` is a Spark Connect server at ``engine_url``. It shares the lake with the program: a folder,
    or an address such as ``s3://bucket/folder``.
    """

    database: Annotated[Path, "The database file."] = Path("access-review.duckdb")
    engine: Annotated[
        Literal["duckdb", "spark"], "What runs the models after staging: DuckDB, or a Spark Connect server."
    ] = "duckdb"
    engine_url: Annotated[
        str | None, "The address of the Spark Connect server, such as sc://spark.example.com:15002."
    ] = None
    lake: Annotated[
        str, "The folder or address, such as s3://bucket/folder, that both sides of Spark read and write."
    ] = "lake"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """Where report folders go, and how many rows of a long table the PDF shows. The CSV files have all rows."""

    directory: Annotated[Path, "The folder for report folders and campaigns."] = Path("out")
    rows_per_table: Annotated[int, "The most rows of a long table in the PDF. The CSV files have all rows."] = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One source to read. A source of kind ``files`` has a ``path`` instead of an address, and no secrets."""

    name: Annotated[str, "The name of the source: what follows the dot in the name of the section."]
    kind: Annotated[
        Literal["sisense", "scim", "okta", "entra", "files"],
        "What the source is: a Sisense, an identity provider over SCIM, Okta, Entra ID, or files.",
    ]
    url: Annotated[
        str, "The address of the server; with a tenant, https://bi.example.com/tenant. Every kind but files needs it."
    ] = ""
    path: Annotated[Path | None, "The folder or file of an application. Only kind files has it."] = None
    format: Annotated[
        Literal["auto", "csv", "oaa", "parquet"],
        "The format of these files; auto recognizes it. Only kind files has it.",
    ] = "auto"
    scim_url: Annotated[str | None, "The SCIM endpoint of a Sisense, if it is to be read as well."] = None
    application: Annotated[
        str | None,
        "The directory's id of the application whose assignments are read. Only kinds okta and entra have it.",
    ] = None
    client_id: Annotated[
        str | None, "The OAuth client with which a directory is read. Kind entra needs it; okta may have it."
    ] = None
    tenant: Annotated[str | None, "The Entra ID tenant: its id or domain name. Only kind entra has it."] = None
    authority: Annotated[str, "Where Entra ID issues tokens. Only kind entra has it."] = (
        "https://login.microsoftonline.com"
    )
    username: Annotated[str | None, "The user name for a login with a password; not needed with a token."] = None
    api: Annotated[Literal["auto", "v1", "v0.9"], "The version of the Sisense API; auto finds it out."] = "auto"
    objects: Annotated[
        Literal["auto", True, False],
        "Whether dashboards, models and row rules are read: auto reads what the instance gives, "
        "true also warns of what is missing, false reads none.",
    ] = "auto"
    page_size: Annotated[
        int, "The most rows to request at once; 1000 for a directory. A lower limit of the server is detected."
    ] = 500
    concurrency: Annotated[int, "How many requests may be under way at the same time."] = 4
    verify_tls: Annotated[bool, "Whether the server's certificate is checked."] = True
    ca_bundle: Annotated[Path | None, "A file with the certificates of a private certificate authority, PEM."] = None
    timeout_seconds: Annotated[float, "How many seconds to wait for one answer."] = 60
    max_attempts: Annotated[int, "How often one request is made before the source counts as failed."] = 6
    give_up_after_seconds: Annotated[float, "How many seconds one request may take with all its repetitions."] = 300

    @property
    def environment_prefix(self) -> str:
        """The start of the names of the environment variables with this source's secrets."""
        return "ACCESS_REVIEW_" + self.name.upper().replace("-", "_")

    @property
    def is_directory(self) -> bool:
        """Whether the source is a directory: it has people and assignments, and no accounts under review."""
        return self.kind in DIRECTORY_KINDS

    def warns_of_plain_http(self, credentials: Credentials) -> list[str]:
        """Return a sentence for each secret that would travel unencrypted to another machine."""
        if self.is_directory:
            sent = [("the API token" if credentials.token else "the access token", self.url)]
            if self.kind == "entra":
                sent.append(("the client secret", self.authority))
        elif self.kind == "scim":
            sent = [("the SCIM token", self.url)]
        else:
            sent = [("the API token" if credentials.token else "the password", self.url)]
            if self.scim_url is not None:
                sent.append(("the SCIM token", self.scim_url))
        return [
            f"{secret} of '{self.name}' travels unencrypted: {url} is plain http"
            for secret, url in sent
            if urlsplit(url).scheme == "http" and not is_loopback(urlsplit(url).hostname or "")
        ]

    def credentials(self, environment: Mapping[str, str]) -> Credentials:
        """Read this source's secrets from the environment; a source of kind ``files`` has none.

        Raises:
            MissingSecretError: there is neither a token nor a password with a user name; or for a directory, no
                token, private key or client secret.
        """
        if self.is_directory:
            return read_directory_credentials(environment, self)
        if self.kind == "files":
            return Credentials(None, None, None)
        token = read_secret(environment, self.environment_prefix + "_TOKEN")
        # With a token the password is not used, so a mistake in it does not matter.
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
        """Read the token of this source's SCIM endpoint from the environment; None if it has no such endpoint.

        Raises:
            MissingSecretError: the source has an endpoint, and the environment no token.
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
                "Sisense creates it under Admin > Security",
            )
        return token


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSettings:
    """Where the list of people comes from: a file, or a source of kind ``scim``, ``okta`` or ``entra``."""

    path: Annotated[Path | None, "The roster file, CSV or XLSX."] = None
    source: Annotated[
        str | None, "Instead of a file: the source of kind scim, okta or entra whose users are the roster."
    ] = None
    preset: Annotated[
        Literal["entra", "okta", "google", "workday", "bamboohr"] | None,
        "The product that exported the file; its headings are then known.",
    ] = None
    columns: Annotated[
        Mapping[str, str],
        'The heading in the file of each roster column whose heading differs, such as email = "Work Email".',
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """The policy files that override the defaults, and who is responsible for findings without another owner."""

    directory: Annotated[Path | None, "The folder with the policy files."] = None
    default_owner: Annotated[str | None, "The e-mail address of who is to fix findings that have no other owner."] = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDaysSettings:
    """How many days after it was first seen a finding of each severity is due.

    The defaults are in ``data/reference/severities.csv``. Findings of severity info are never due.
    """

    critical: Annotated[
        int | None, "Days in which a finding of severity critical is to be fixed; 1 without this key."
    ] = None
    high: Annotated[int | None, "Days in which a finding of severity high is to be fixed; 7 without this key."] = None
    medium: Annotated[
        int | None, "Days in which a finding of severity medium is to be fixed; 30 without this key."
    ] = None
    low: Annotated[int | None, "Days in which a finding of severity low is to be fixed; 90 without this key."] = None

    def by_severity(self) -> dict[str, int]:
        """Return the days that are set, by severity."""
        days = {"critical": self.critical, "high": self.high, "medium": self.medium, "low": self.low}
        return {severity: value for severity, value in days.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class LicencePriceSettings:
    """What one seat of each class costs in a month or a year, in ``currency``. Leave out what you do not know.

    Reports multiply these prices by seats, and call the result an estimate.
    """

    admin: Annotated[float | None, "What one admin seat costs."] = None
    designer: Annotated[float | None, "What one designer seat costs."] = None
    viewer: Annotated[float | None, "What one viewer seat costs."] = None
    currency: Annotated[str | None, "The currency of these prices, such as EUR. Required with a price."] = None

    def by_class(self) -> dict[str, float]:
        """Return the prices that are known, by the class of seat."""
        prices = {"admin": self.admin, "designer": self.designer, "viewer": self.viewer}
        return {seat_class: price for seat_class, price in prices.items() if price is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How many days ``watch`` keeps the rows of its snapshots. Snapshots of a report are always kept."""

    keep_days: Annotated[
        int, "How many days watch keeps the rows of its snapshots. Those of a report are always kept."
    ] = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration. ``rules`` is checked when the headers of the rules are read."""

    path: Path
    sha256: str
    organization: OrganizationSettings = field(default_factory=OrganizationSettings)
    warehouse: WarehouseSettings = field(default_factory=WarehouseSettings)
    reports: ReportSettings = field(default_factory=ReportSettings)
    sources: tuple[SourceSettings, ...] = ()
    roster: RosterSettings | None = None
    policy: PolicySettings | None = None
    watch: WatchSettings = field(default_factory=WatchSettings)
    web: WebSettings = field(default_factory=WebSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    cadence: CadenceSettings = field(default_factory=CadenceSettings)
    licence_price: LicencePriceSettings = field(default_factory=LicencePriceSettings)
    due_days: DueDaysSettings = field(default_factory=DueDaysSettings)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def source(self, name: str) -> SourceSettings:
        """Return one source by name.

        Raises:
            ConfigurationError: no source has that name.
        """
        for source in self.sources:
            if source.name == name:
                return source
        raise ConfigurationError(
            f"there is no source '{name}'",
            where=str(self.path),
            hint=suggestion(name, [s.name for s in self.sources], "the sources are"),
        )
