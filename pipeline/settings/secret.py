"""Secrets, which are read from the environment or from files that it names, and never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigurationError, MissingSecretError

__all__ = ["Credentials", "Secret", "mail_password", "read_secret", "webhook_secret"]


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
    """The secrets of one source. If there is a token, no password is tried."""

    username: str | None
    password: Secret | None
    token: Secret | None


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
