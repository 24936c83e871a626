"""The sections of a review: the page on which reviewers decide, the mail to them, and how often reviews are due."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pipeline.addresses import AddressError, read_address
from pipeline.settings.hosts import is_loopback
from pipeline.settings.tables import TableReader

__all__ = ["CadenceSettings", "MailSettings", "OidcSettings", "WebSettings", "read_cadence", "read_mail", "read_web"]

#: The ports of RFC 8314: submission, which STARTTLS encrypts, and submission over TLS.
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}
_MAX_LINK_DAYS = 365
#: Lengths of a period in months.
_MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """The OpenID Connect provider at which reviewers sign in. Its discovery document is below ``issuer``."""

    issuer: Annotated[str, "The address of the OpenID Connect provider."]
    client_id: Annotated[str, "The id of the client that the provider knows."]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The page on which reviewers decide.

    ``base_url`` is its address as reviewers see it, without a slash at the end; links need it. ``owners`` are the
    e-mail addresses, in lower case, of those who may see the progress of a campaign. A link is valid for
    ``link_days``.
    """

    base_url: Annotated[str | None, "The address of the page as reviewers see it. Links in mails need it."] = None
    owners: Annotated[tuple[str, ...], "The e-mail addresses of those who may see the progress of a campaign."] = ()
    link_days: Annotated[
        int, "How many days a link in a mail is valid, at least to the due date of the campaign."
    ] = 14
    oidc: OidcSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The server that takes mail to reviewers, and the sender. Without ``smtp_url``, mail is written to files.

    ``sender`` is the key ``from``: an address, also as ``Access reviews <reviews@example.com>``. ``starttls`` is None
    for the default, see :attr:`requires_starttls`. The password for ``username`` is in the environment.
    """

    sender: Annotated[str | None, "The sender, such as Access reviews <access-review@example.com>."] = field(
        default=None, metadata={"key": "from"}
    )
    smtp_url: Annotated[
        str | None,
        "The mail server, such as smtp://mail.example.com:587 or smtps://mail.example.com. "
        "Without it, mails are written to files.",
    ] = None
    starttls: Annotated[
        bool | None,
        "Whether STARTTLS is required before anything is sent: by default yes, unless the server is on this machine.",
    ] = None
    username: Annotated[str | None, "The user name at the mail server, if it needs a login."] = None
    ca_bundle: Annotated[Path | None, "A file with the certificates of a private certificate authority, PEM."] = None

    @property
    def host(self) -> str:
        """The host of the server; empty without a server."""
        return urlsplit(self.smtp_url or "").hostname or ""

    @property
    def port(self) -> int:
        """The port of the server: 587 for smtp and 465 for smtps unless the address names one."""
        parts = urlsplit(self.smtp_url or "smtp:")
        return parts.port or _DEFAULT_PORTS[parts.scheme]

    @property
    def is_implicit_tls(self) -> bool:
        """Whether the connection is encrypted from its start, as with ``smtps://``."""
        return urlsplit(self.smtp_url or "").scheme == "smtps"

    @property
    def requires_starttls(self) -> bool:
        """Whether nothing is sent before STARTTLS has encrypted the connection: by default, unless on loopback."""
        if self.is_implicit_tls:
            return False
        return self.starttls if self.starttls is not None else not is_loopback(self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class CadenceSettings:
    """How often access is to be reviewed, by scope. A scope without a period is never due."""

    privileged: Annotated[
        Literal["monthly", "quarterly", "yearly"] | None, "How often privileged access is to be reviewed."
    ] = None
    external: Annotated[
        Literal["monthly", "quarterly", "yearly"] | None,
        "How often the access of external accounts is to be reviewed.",
    ] = None
    all: Annotated[Literal["monthly", "quarterly", "yearly"] | None, "How often all access is to be reviewed."] = None

    def months(self) -> dict[str, int]:
        """Return the length of the period in months, for each scope that has one."""
        periods = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {scope: _MONTHS[period] for scope, period in periods.items() if period is not None}


def read_web(reader: TableReader, document: dict[str, Any]) -> WebSettings:
    """Read ``[web]`` and ``[web.oidc]``.

    Raises:
        ConfigurationError: a key or value of them is wrong.
    """
    table = reader.table(document.get("web", {}), "web")
    reader.require_known(table, {f.name for f in dataclasses.fields(WebSettings)}, "web")
    web = reader.build(WebSettings, {key: value for key, value in table.items() if key != "oidc"}, "web")
    base_url = web.base_url
    if base_url is not None:
        example = "write it as https://reviews.example.com"
        parts = _web_address(reader, base_url, "web.base_url", example)
        if parts.path.strip("/"):
            raise reader.error("web.base_url", "the page of reviewers cannot be below a path", example)
        base_url = base_url.rstrip("/")
    if not 1 <= web.link_days <= _MAX_LINK_DAYS:
        raise reader.error(
            "web.link_days", f"the value must be from 1 to {_MAX_LINK_DAYS}", "leave the key out for 14"
        )
    owners = tuple(_address(reader, owner, "web.owners").lower() for owner in web.owners)
    oidc = _oidc(reader, reader.table(table["oidc"], "web.oidc")) if "oidc" in table else None
    return dataclasses.replace(web, base_url=base_url, owners=tuple(dict.fromkeys(owners)), oidc=oidc)


def _oidc(reader: TableReader, table: dict[str, Any]) -> OidcSettings:
    oidc = reader.build(OidcSettings, table, "web.oidc")
    _web_address(
        reader, oidc.issuer, "web.oidc.issuer", "copy the issuer from your provider, as https://id.example.com"
    )
    if not oidc.client_id.strip():
        raise reader.error(
            "web.oidc.client_id", "the client id is blank", "your provider shows it with the application"
        )
    return oidc


def read_mail(reader: TableReader, document: dict[str, Any]) -> MailSettings:
    """Read ``[mail]``.

    Raises:
        ConfigurationError: a key or value of it is wrong, or a password would travel unencrypted.
    """
    mail = reader.section(MailSettings, document, "mail")
    if mail.sender is not None:
        if not mail.sender.isprintable():
            raise reader.error("mail.from", "the sender holds a line break or a control character", "remove it")
        _address(reader, mail.sender, "mail.from")
    if mail.smtp_url is None:
        for key in ("starttls", "username", "ca_bundle"):
            if getattr(mail, key) is not None:
                raise reader.error(
                    f"mail.{key}", f"'{key}' describes a mail server", "add smtp_url, or leave the key out"
                )
        return mail
    _check_mail_server(reader, mail.smtp_url)
    if mail.sender is None:
        raise reader.error(
            "mail.from", "the key 'from' is missing from [mail]", 'add from = "access-review@example.com"'
        )
    if mail.is_implicit_tls and mail.starttls is not None:
        raise reader.error("mail.starttls", "smtps:// is encrypted from the start", "leave 'starttls' out")
    is_encrypted = mail.is_implicit_tls or mail.requires_starttls
    if mail.username is not None and not is_encrypted and not is_loopback(mail.host):
        raise reader.error(
            "mail.starttls", "the password would be sent unencrypted", "leave 'starttls' out, or use smtps://"
        )
    return mail


def read_cadence(reader: TableReader, document: dict[str, Any]) -> CadenceSettings:
    """Read ``[cadence]``.

    Raises:
        ConfigurationError: a key or value of it is wrong.
    """
    return reader.section(CadenceSettings, document, "cadence")


def _address(reader: TableReader, text: str, where: str) -> str:
    try:
        return read_address(text)
    except AddressError as error:
        raise reader.error(where, str(error), "write it as ann@example.com") from error


def _web_address(reader: TableReader, url: str, where: str, example: str) -> SplitResult:
    """Return the parts of an address that carries sign-ins: https, or http on this machine."""
    parts = _split(reader, url, where, example)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise reader.error(where, "this is not a web address", example)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise reader.error(where, "http is not encrypted", "use https; http is only for this machine")
    return parts


def _check_mail_server(reader: TableReader, url: str) -> None:
    where, example = "mail.smtp_url", "write it as smtp://mail.example.com:587 or smtps://mail.example.com"
    parts = _split(reader, url, where, example)
    if (
        parts.scheme not in _DEFAULT_PORTS
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise reader.error(where, "this is not the address of a mail server", example)


def _split(reader: TableReader, url: str, where: str, example: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its text quotes what stands where the port should be, which may be part of a password
        raise reader.error(where, "this is not the address of a server", example) from None
    if parts.username is not None or parts.password is not None:
        raise reader.error(
            where, "credentials inside a URL are refused", "put them in the environment; see 'access-review init'"
        )
    return parts
