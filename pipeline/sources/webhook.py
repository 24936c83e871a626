"""Sends events to a web address, one message each, signed as https://www.standardwebhooks.com specifies.

``webhook-id`` is the event's id, by which a receiver can drop duplicates. ``webhook-signature`` is ``v1,`` and the
Base64 of HMAC-SHA256 over ``<id>.<timestamp>.<body>``. No redirect is followed, because a signature is for one
receiver. Errors name only the server of the address, because the rest is often a secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import random
from collections.abc import Callable, Mapping
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from pipeline.errors import ConfigurationError, UnreachableError, UsageError
from pipeline.settings import Secret, is_loopback
from pipeline.sources.diagnosis import explain, refused_by_proxy
from pipeline.sources.network import find_route

__all__ = ["Webhook", "origin"]

#: The first and the longest wait between attempts, in seconds.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 20.0
_MOST_ATTEMPTS = 5
_TIMEOUT = 30.0
_PREFIX = "whsec_"
_RECEIVER_HINT = "check the receiver; this event is sent again at the next poll, and later events wait for it"


def origin(url: str) -> str:
    """Return the part of a receiver's address that may be shown.

    Raises:
        UsageError: it is not an https address (or http to this machine), or contains credentials.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # its text may quote a secret
        parts, host, port = urlsplit(""), None, None
    if not host or parts.scheme not in {"http", "https"} or parts.username is not None or parts.password is not None:
        raise UsageError(
            "events cannot be sent to this address",
            where="--sink",
            hint="write it as https://hooks.example.com/path, without a user name or password in it",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(
            "events would travel unencrypted",
            where=f"--sink {parts.scheme}://{host}",
            hint="use https; plain http is for a receiver on this machine",
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


class Webhook:
    """One receiver. Use it as a context manager; ``sleep`` waits between attempts, ``clock`` gives Unix seconds.

    Raises:
        ConfigurationError: the secret begins with ``whsec_`` but is not Base64 after that, or a proxy or CA variable
            of the environment cannot be used.
    """

    def __init__(
        self,
        url: str,
        secret: Secret,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.origin = origin(url)
        self._route = find_route(url, environment=environment)
        self._url = url
        self._key = _key(secret)
        self._clock = clock
        self._sleep = sleep

    def __enter__(self) -> Webhook:
        self._client = self._route.blocking_client(timeout=_TIMEOUT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, event_id: str, body: bytes) -> None:
        """Send one event until it is accepted.

        Raises:
            UnreachableError: it was not accepted in five attempts.
        """
        wait, reason, hint = _FIRST_WAIT, "", _RECEIVER_HINT
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            timestamp = str(int(self._clock()))
            headers = {
                "Content-Type": "application/json",
                "webhook-id": event_id,
                "webhook-timestamp": timestamp,
                "webhook-signature": self._signature(event_id, timestamp, body),
            }
            try:
                answer = self._client.post(self._url, content=body, headers=headers)
            except httpx.HTTPError as error:
                trouble = explain(error, self._route)
                reason, hint = trouble.message, trouble.hint if self._route.proxy else _RECEIVER_HINT
            except httpx.InvalidURL:
                reason = "the address cannot be used"
            else:
                if answer.is_success:
                    return
                reason, hint = f"HTTP {answer.status_code}", _RECEIVER_HINT
                if answer.status_code == 407 and self._route.proxy is not None:
                    trouble = refused_by_proxy(self._route, 407)
                    reason, hint = trouble.message, trouble.hint
            if attempt < _MOST_ATTEMPTS:
                self._sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not cryptography
                wait = min(2 * wait, _LONGEST_WAIT)
        raise UnreachableError(
            f"an event was not accepted in {_MOST_ATTEMPTS} attempts: {reason}",
            where=self.origin,
            hint=hint,
        ) from None

    def _signature(self, event_id: str, timestamp: str, body: bytes) -> str:
        message = f"{event_id}.{timestamp}.".encode() + body
        return "v1," + base64.b64encode(hmac.new(self._key, message, hashlib.sha256).digest()).decode()


def _key(secret: Secret) -> bytes:
    text = secret.reveal()
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX) + "==")
    except binascii.Error:
        key = b""
    if not key:
        raise ConfigurationError(
            "the secret of the webhook begins with 'whsec_' but is not Base64 after that",
            where="ACCESS_REVIEW_WEBHOOK_SECRET",
            hint="copy it again from the receiver",
        ) from None
    return key
