"""Secrets, which are read from the environment or from files that it names, and never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.errors import ConfigurationError, MissingSecretError

__all__ = [
    "Credentials",
    "Secret",
    "mail_password",
    "read_directory_credentials",
    "read_private_key",
    "read_secret",
    "webhook_secret",
]


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that must never be shown. Call :meth:`reveal` only where it is used."""

    _value: str

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of one source. If there is a token, no password is tried.

    For the OAuth client of a directory, ``username`` is its id, and its secret is ``password`` or ``private_key``.
    """

    username: str | None
    password: Secret | None
    token: Secret | None
    private_key: Secret | None = None


class DirectorySource(Protocol):
    """The part of a source's settings that says which secrets it needs."""

    @property
    def name(self) -> str:
        """Return the name of the source."""

    @property
    def kind(self) -> str:
        """Return ``okta`` or ``entra``."""

    @property
    def client_id(self) -> str | None:
        """Return the id of the OAuth client, None if a token is used."""

    @property
    def environment_prefix(self) -> str:
        """Return the start of the names of the variables."""


def read_directory_credentials(environment: Mapping[str, str], source: DirectorySource) -> Credentials:
    """Read the secret of a directory: an Okta token, else the private key of its OAuth client, or a client secret.

    Raises:
        MissingSecretError: the environment has none.
    """
    prefix = source.environment_prefix
    if source.kind == "entra":
        secret = read_secret(environment, prefix + "_CLIENT_SECRET")
        if secret is not None:
            return Credentials(source.client_id, secret, None)
        wanted = prefix + "_CLIENT_SECRET"
    elif source.client_id is None:
        token = read_secret(environment, prefix + "_TOKEN")
        if token is not None:
            return Credentials(None, None, token)
        wanted = prefix + "_TOKEN"
    else:
        key = read_private_key(environment, prefix + "_PRIVATE_KEY")
        if key is not None:
            return Credentials(source.client_id, None, None, key)
        wanted = prefix + "_PRIVATE_KEY"
        if environment.get(prefix + "_TOKEN") or environment.get(prefix + "_TOKEN_FILE"):
            raise MissingSecretError(
                f"'client_id' of source '{source.name}' needs a private key, and the environment has only a token",
                where="environment",
                hint=f"remove 'client_id' to read with {prefix}_TOKEN, or set {wanted} (or {wanted}_FILE)",
            )
    raise MissingSecretError(
        f"no credential for source '{source.name}'",
        where="environment",
        hint=f"set {wanted}, or {wanted}_FILE to the path of a file that holds it",
    )


def read_private_key(environment: Mapping[str, str], variable: str) -> Secret | None:
    """Read a private key in PEM form, whose lines may also be separated by a written ``\\n``; None if it is not set.

    Raises:
        ConfigurationError: it is not in PEM form.
        MissingSecretError: the file cannot be read.
    """
    value, file = environment.get(variable, ""), environment.get(variable + "_FILE")
    if not value and file:
        try:
            value = Path(file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise MissingSecretError(
                f"the file that {variable}_FILE names cannot be read",
                where=file,
                hint="check the path and its permissions",
            ) from error
    if not value:
        return None
    value = value.replace("\\n", "\n").strip()
    if value.startswith("-----BEGIN") and "-----END" not in value:
        raise ConfigurationError(
            f"the private key in {variable} is cut off: it has no line -----END PRIVATE KEY-----",
            where=f"environment, {variable}",
            hint=f"put the whole key into a file, and set {variable}_FILE to its path: many shells and .env files "
            "keep only the first line",
        )
    if not re.fullmatch(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s.+-----END [A-Z ]*PRIVATE KEY-----", value, re.DOTALL):
        raise ConfigurationError(
            f"{variable} is not a private key in PEM form",
            where=f"environment, {variable}",
            hint="copy the whole key, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----",
        )
    return Secret(value)


def read_secret(environment: Mapping[str, str], variable: str) -> Secret | None:
    """Read a secret from a variable, or from the file that the variable with ``_FILE`` names; None if neither is set.

    Raises:
        ConfigurationError: it holds a line break or another control character, usually from careless copying.
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
            f"the file that {variable}_FILE names is empty", where=file, hint="write only the secret into it"
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


def webhook_secret(environment: Mapping[str, str]) -> Secret:
    """Read the secret that signs events sent to a web address.

    Raises:
        MissingSecretError: the environment has none.
    """
    secret = read_secret(environment, "ACCESS_REVIEW_WEBHOOK_SECRET")
    if secret is None:
        raise MissingSecretError(
            "no secret to sign events with",
            where="environment",
            hint="set ACCESS_REVIEW_WEBHOOK_SECRET, or ACCESS_REVIEW_WEBHOOK_SECRET_FILE to a file that holds it",
        )
    return secret


def mail_password(environment: Mapping[str, str]) -> Secret:
    """Read the password for the mail server.

    Raises:
        MissingSecretError: the environment has none.
    """
    secret = read_secret(environment, "ACCESS_REVIEW_SMTP_PASSWORD")
    if secret is None:
        raise MissingSecretError(
            "no password for the mail server",
            where="environment",
            hint="set ACCESS_REVIEW_SMTP_PASSWORD, or ACCESS_REVIEW_SMTP_PASSWORD_FILE to a file that holds it; "
            "a server that needs no login needs no 'username' in [mail]",
        )
    return secret
