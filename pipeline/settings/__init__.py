"""Settings: one TOML file, and secrets from the environment.

Every key is checked. An unknown key is an error that names the file, the key and the nearest valid key. Relative
paths are relative to the file. Secrets are held in :class:`Secret`, whose ``repr`` never shows them.

Names below are imported when they are first used: the help needs the default path alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipeline.settings.place import DEFAULT_PATH

if TYPE_CHECKING:
    from pipeline.settings.evidence import EvidenceSettings
    from pipeline.settings.hosts import is_loopback
    from pipeline.settings.reader import load_settings
    from pipeline.settings.review import CadenceSettings, MailSettings, OidcSettings, WebSettings
    from pipeline.settings.secret import Credentials, Secret, mail_password, read_secret, webhook_secret
    from pipeline.settings.sections import (
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

#: The module of each name, if it is not the one of the sections.
_HOMES = {
    "CadenceSettings": "review",
    "Credentials": "secret",
    "EvidenceSettings": "evidence",
    "MailSettings": "review",
    "OidcSettings": "review",
    "Secret": "secret",
    "WebSettings": "review",
    "is_loopback": "hosts",
    "load_settings": "reader",
    "mail_password": "secret",
    "read_secret": "secret",
    "webhook_secret": "secret",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'sections')}"), name)
