"""Settings: one TOML file, and secrets from the environment.

Every key is checked. An unknown key is an error that names the file, the key and the nearest valid key. Relative
paths are relative to the file. Secrets are held in :class:`Secret`, whose ``repr`` never shows them.
"""

from pipeline.settings.evidence import EvidenceSettings
from pipeline.settings.hosts import is_loopback
from pipeline.settings.reader import load_settings
from pipeline.settings.review import CadenceSettings, MailSettings, OidcSettings, WebSettings
from pipeline.settings.secret import Credentials, Secret, mail_password, read_secret, webhook_secret
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

__all__ = [
    "DEFAULT_PATH",
    "ROSTER_COLUMNS",
    "CadenceSettings",
    "Credentials",
    "DueDaysSettings",
    "EvidenceSettings",
    "LicencePriceSettings",
    "MailSettings",
    "OidcSettings",
    "OrganizationSettings",
    "PolicySettings",
    "ReportSettings",
    "RosterSettings",
    "Secret",
    "Settings",
    "SourceSettings",
    "WarehouseSettings",
    "WatchSettings",
    "WebSettings",
    "is_loopback",
    "load_settings",
    "mail_password",
    "read_secret",
    "webhook_secret",
]
