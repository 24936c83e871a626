"""The login: one token shared by all requests, replaced once however many of them found it expired.

The session never logs out and never renews a token through the server: both would revoke tokens that other jobs use.
A refused password is never tried again, because the server locks accounts.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from pipeline.errors import ConfigurationError, LoginError
from pipeline.settings import Credentials
from pipeline.sources.diagnosis import SSO, classify
from pipeline.sources.errors import BadAnswerError, RedirectedError, RefusedError, UnreadableError
from pipeline.sources.exchange import Reply, Request, Token, fits_a_header
from pipeline.sources.records import read_json
from pipeline.sources.transport import Client

__all__ = ["LOGIN_PATHS", "Session"]

#: The addresses of the login, the current one first.
LOGIN_PATHS = ("/api/v1/authentication/login", "/api/authentication/login", "/api/v0.9/authentication/login")
#: The most logins in one run: tokens that keep expiring at once are a fault.
_MOST_LOGINS = 100
#: The most new tokens in a row that were never accepted.
_MOST_UNUSABLE = 2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ELSEWHERE = frozenset({404, 405, 410, 501})
_OTHER_FORM = frozenset({400, 415, 422})


class Session:
    """Supplies the tokens of one Sisense (see :class:`~pipeline.sources.transport.Authority`).

    ``style`` is how the login was sent: ``form``, ``json``, or ``token`` for an API token. ``profile`` is what the
    server said about the caller at the login.
    """

    def __init__(self, client: Client, credentials: Credentials) -> None:
        self._client = client
        self._credentials = credentials
        self._lock = asyncio.Lock()
        self._generation = 0
        self._was_accepted = False
        self._unusable_tokens = 0
        self._over: tuple[str, str, str] | None = None
        self.logins = 0
        self.path: str | None = None
        self.style: str | None = None
        self.profile: dict[str, Any] = {}
        self._token: Token | None = None
        for secret in (credentials.password, credentials.token):
            if secret is not None:
                client.redaction.add(secret.reveal())
        if credentials.token is not None:
            self._token = Token(credentials.token.reveal(), 0)
            self.style = "token"
            if not fits_a_header(self._token.value):
                raise self._unusable("API token", "token", "TOKEN")
        elif credentials.password is not None and _CONTROL.search(credentials.password.reveal()):
            raise self._unusable("password", "password", "PASSWORD")

    def _unusable(self, what: str, kind: str, variable: str) -> ConfigurationError:
        return ConfigurationError(
            f"the {what} contains characters that no {kind} has",
            where=f"environment, {self._client.source.environment_prefix}_{variable}",
            hint=f"copy the {kind} again, without spaces, line breaks or quotes",
        )

    @property
    def is_over(self) -> bool:
        """Return whether no token can be obtained any more: the password was refused, or the logins are used up."""
        return self._over is not None

    async def token(self) -> Token:
        """Return the current token, after logging in if there is none.

        Raises:
            LoginError: the login is refused.
        """
        if self._token is None:
            async with self._lock:
                if self._token is None:
                    await self._login()
        assert self._token is not None  # noqa: S101  _login sets it or raises
        return self._token

    def accepted(self, token: Token) -> None:
        """Record that the current token was accepted."""
        if token.generation == self._generation:
            self._was_accepted = True
            self._unusable_tokens = 0

    async def refused(self, token: Token) -> None:
        """Replace a token that was refused, unless another request has replaced it already.

        Raises:
            LoginError: no other token can be obtained.
        """
        async with self._lock:
            self._stop_if_over()
            if token.generation != self._generation:
                return
            if self._credentials.token is not None:
                raise LoginError(
                    "the API token is refused" + (", though it was accepted before" if self._was_accepted else ""),
                    where=self._client.where("GET", self._client.source.url),
                    hint="make a new token in Sisense and set it in the environment",
                )
            if not self._was_accepted:
                self._unusable_tokens += 1
                if self._unusable_tokens >= _MOST_UNUSABLE:
                    raise LoginError(
                        "the login succeeds, but its tokens are refused",
                        where=self._client.where("GET", self._client.source.url),
                        hint="check that no proxy drops the Authorization header and the account may use the API",
                    )
            await self._login()

    async def _login(self) -> None:
        """Log in once. The caller holds the lock."""
        self._stop_if_over()
        if self.logins >= _MOST_LOGINS:
            raise self._end(
                f"{self.logins} logins were needed, and the tokens still expire at once",
                self._client.where("POST", self._client.source.url),
                "check the lifetime of tokens on the server",
            )
        for path in (self.path,) if self.path else LOGIN_PATHS:
            for style in (self.style,) if self.style else ("form", "json"):
                reply = await self._attempt(path, style)
                if reply is None:
                    break
                if reply:
                    self.path, self.style = path, style
                    return
        raise self._end(
            "there is no login at any known address",
            self._client.where("POST", f"{self._client.source.url} ({', '.join(LOGIN_PATHS)})"),
            "check 'url' (with its tenant prefix, if any); with single sign-on, use an API token",
        )

    async def _attempt(self, path: str, style: str) -> bool | None:
        """Send the password once; return whether it logged in, or None if there is no login at this address.

        False asks for the other style.
        """
        name, password = self._credentials.username or "", self._credentials.password
        content = {"username": name, "password": password.reveal() if password else ""}
        where = self._client.where("POST", self._client.source.url + path)
        form, document = (content, None) if style == "form" else (None, content)
        request = Request(path, method="POST", form=form, document=document, is_login=True)
        try:
            answer, reply = await self._client.fetch(request, _read_reply)
        except RedirectedError as error:  # this is not the login: send no password there again
            raise self._end(f"{SSO}, it seems: {error.message}", where, self._sso_hint()) from None
        except UnreadableError:
            if self.path is not None:
                raise
            return None
        except RefusedError as error:
            if self.path is None and error.status in _ELSEWHERE:
                return None
            if self.style is None and style == "form" and error.status in _OTHER_FORM:
                return False
            if error.status == 302:
                raise self._end(error.message, where, error.hint) from None
            is_about_sso = any(sign in error.message for sign in (SSO, "a web page"))
            hint = self._sso_hint() if is_about_sso else _REFUSED_HINT
            raise self._end(f"the login is refused: {error.message}", where, hint) from None
        token = reply.get("access_token")
        if reply.get("success") is False or not isinstance(token, str) or not fits_a_header(token):
            reason = classify(answer.body, answer.media_type)
            hint = self._sso_hint() if SSO in reason else _REFUSED_HINT
            raise self._end(f"the login is refused{reason}", where, hint)
        self.logins += 1
        self._generation += 1
        self._was_accepted = False
        self._client.redaction.add(token)
        self._token = Token(token, self._generation)
        profile = reply.get("profile")
        self.profile = profile if isinstance(profile, dict) else {}
        self._client.page_log.record(answer, "login")
        return True

    def _sso_hint(self) -> str:
        return (
            "with single sign-on, use an API token: set "
            f"{self._client.source.environment_prefix}_TOKEN; if the server has moved, correct 'url'; "
            "the password is not tried again"
        )

    def _stop_if_over(self) -> None:
        if self._over is not None:
            message, where, hint = self._over
            raise LoginError(message, where=where, hint=hint)

    def _end(self, message: str, where: str, hint: str) -> LoginError:
        self._over = (message, where, hint)
        return LoginError(message, where=where, hint=hint)


_REFUSED_HINT = (
    "correct the user name or the password; a refused one is not tried again, so that the account is not locked"
)


def _read_reply(answer: Reply) -> dict[str, Any]:
    reply = read_json(answer.body)
    if not isinstance(reply, dict):
        raise BadAnswerError("the answer to the login is not an object")
    return reply
