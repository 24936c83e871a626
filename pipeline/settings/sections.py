"""The sections of the configuration file, as frozen dataclasses with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pipeline.errors import ConfigurationError, MissingSecretError
from pipeline.settings.evidence import EvidenceSettings
from pipeline.settings.hosts import is_loopback
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSettings:
    """The organization under review. E-mail domains that are not listed are external."""

    name: str = "Unnamed organization"
    email_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseSettings:
    """Where the database is, and what runs the models after staging.

    The engine ``spark`` is a Spark Connect server at ``engine_url``. It shares the lake with the program: a folder,
    or an address such as ``s3://bucket/folder``.
    """

    database: Path = Path("access-review.duckdb")
    engine: Literal["duckdb", "spark"] = "duckdb"
    engine_url: str | None = None
    lake: str = "lake"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """Where report folders go, and how many rows of a long table the PDF shows. The CSV files have all rows."""

    directory: Path = Path("out")
    rows_per_table: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One source to read. Times are in seconds. ``page_size`` is the most rows to request at once.

    ``client_id`` is the OAuth client of a directory, and ``application`` its id of the application whose assignments
    are read. ``tenant`` and ``authority`` say where Entra ID issues tokens.

    ``scim_url`` is the SCIM endpoint of a Sisense; a source of kind ``scim`` has its endpoint in ``url``. ``objects``
    says whether dashboards, models and settings are read: ``"auto"`` reads what the instance gives, True also
    warns of a list that it does not give, False requests none.

    A source of kind ``files`` has a ``path`` instead of an address, and no secrets.
    """

    name: str
    kind: Literal["sisense", "scim", "okta", "entra", "files"]
    url: str = ""
    path: Path | None = None
    format: Literal["auto", "csv", "oaa", "parquet"] = "auto"
    scim_url: str | None = None
    application: str | None = None
    client_id: str | None = None
    tenant: str | None = None
    authority: str = "https://login.microsoftonline.com"
    username: str | None = None
    api: Literal["auto", "v1", "v0.9"] = "auto"
    objects: Literal["auto", True, False] = "auto"
    page_size: int = 500
    concurrency: int = 4
    verify_tls: bool = True
    ca_bundle: Path | None = None
    timeout_seconds: float = 60
    max_attempts: int = 6
    give_up_after_seconds: float = 300

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
    """Where the list of people comes from: a file, or the users of a source of kind ``scim``, ``okta`` or ``entra``.

    ``preset`` is the product that exported the file. ``columns`` maps a roster column to its heading in the file.
    """

    path: Path | None = None
    source: str | None = None
    preset: Literal["entra", "okta", "google", "workday", "bamboohr"] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """The folder with the policy files that override the defaults.

    ``default_owner`` is the e-mail address of who is responsible for findings that have no other owner.
    """

    directory: Path | None = None
    default_owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDaysSettings:
    """How many days after it was first seen a finding of each severity is due; None for the default.

    The defaults are in ``data/reference/severities.csv``. Findings of severity info are never due.
    """

    critical: int | None = None
    high: int | None = None
    medium: int | None = None
    low: int | None = None

    def by_severity(self) -> dict[str, int]:
        """Return the days that are set, by severity."""
        days = {"critical": self.critical, "high": self.high, "medium": self.medium, "low": self.low}
        return {severity: value for severity, value in days.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class LicencePriceSettings:
    """What one seat of each class costs, in ``currency``, for whatever time you pay; None if it is not known.

    Reports multiply these prices by seats, and call the result an estimate.
    """

    admin: float | None = None
    designer: float | None = None
    viewer: float | None = None
    currency: str | None = None

    def by_class(self) -> dict[str, float]:
        """Return the prices that are known, by the class of seat."""
        prices = {"admin": self.admin, "designer": self.designer, "viewer": self.viewer}
        return {seat_class: price for seat_class, price in prices.items() if price is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How many days ``watch`` keeps the rows of its snapshots. Snapshots of a report are always kept."""

    keep_days: int = 7


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
