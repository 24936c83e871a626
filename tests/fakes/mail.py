"""A mail server on loopback that keeps what it takes. The protocol is aiosmtpd's, the faults are ours."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USERNAME, PASSWORD = "access-review", "correct horse battery staple"


@dataclass
class FakeMailServer:
    """What the server does, and what it has taken. ``port`` is set while it runs.

    ``refusals`` maps a recipient to the answer to its RCPT, ``rejections`` one to the answer to its content.
    ``cuts`` maps a recipient to the moment at which the connection breaks, once: ``rcpt``, or ``content`` (after the
    content has come, so that the sender cannot know whether it was taken). ``holds`` maps a recipient to ``before``
    or ``after``: the server gives no answer to the content, which it has not taken yet, or has; ``held`` is set then.
    """

    refusals: dict[str, str] = field(default_factory=dict)
    rejections: dict[str, str] = field(default_factory=dict)
    cuts: dict[str, str] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    held: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    connections: int = 0
    is_encrypted: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.taken]

    def mails(self, recipient: str) -> list[EmailMessage]:
        return [parsed(content) for to, content in self.taken if to == recipient]

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.is_encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.cuts.get(address) == "rcpt":
            del self.cuts[address]
            server.transport.abort()
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        [recipient] = envelope.rcpt_tos
        if recipient in self.rejections:
            return self.rejections[recipient]
        if self.holds.get(recipient) == "before":
            await self._hold()
        self.taken.append((recipient, envelope.content))
        if self.holds.get(recipient) == "after":
            await self._hold()
        if self.cuts.pop(recipient, None) == "content":
            server.transport.abort()
        return "250 queued"

    async def _hold(self) -> None:
        self.held.set()
        await asyncio.sleep(600)  # ends when the client hangs up

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append(data.login.decode())
        is_right = (data.login.decode(), data.password.decode()) == (USERNAME, PASSWORD)
        return AuthResult(success=is_right, handled=False)

    @contextmanager
    def running(
        self, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, **options: Any
    ) -> Iterator[FakeMailServer]:
        """Serve on a free port of loopback while the block runs."""
        fake = self

        class Counting(Controller):
            def factory(self) -> Any:
                fake.connections += 1
                return super().factory()

            def _trigger_server(self) -> None:
                self.port = fake.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
                super()._trigger_server()

        controller = Counting(
            self,
            hostname="127.0.0.1",
            port=0,
            ssl_context=tls,
            tls_context=starttls,
            server_hostname="mail.test",
            authenticator=self.authenticate,
            **options,
        )
        controller.start()
        try:
            self.connections = 0  # the controller's own
            yield self
        finally:
            controller.stop()


def parsed(content: bytes) -> EmailMessage:
    """Return a mail as a mail program reads it."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message
