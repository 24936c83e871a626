"""Hands mails over: to a mail server over SMTP, or to files that are sent by hand.

One connection serves many mails. What happened to each mail is an :class:`Outcome`; an exception means that the
server cannot be used at all. After the content of a mail has been handed over, only the server knows what happens to
it: if the connection breaks there, the outcome is ``uncertain`` and the mail is not sent again.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from pipeline.addresses import AddressError, read_address
from pipeline.atomic import replace_file
from pipeline.errors import LoginError, RenderError, UnreachableError
from pipeline.settings import MailSettings, Secret, is_loopback

__all__ = ["MailFolder", "MailServer", "Outbox", "Outcome", "Recipient"]

#: Seconds that the server has for each answer.
_TIMEOUT = 30.0
#: Characters of a server's answer that are kept.
_SHOWN = 200
#: The server is about to close the connection; a new one may work.
_CLOSING = 421


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one mail.

    ``sent``: the server took it. ``written``: it is in the file ``detail``. ``failed``: it was not sent, and may be
    sent again. ``uncertain``: the connection broke after the content had been handed over.
    """

    state: Literal["sent", "written", "failed", "uncertain"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """An e-mail address as a mail carries it, with its domain in ASCII.

    ``is_utf8`` is true if the part before the @ is not ASCII; only servers with SMTPUTF8 take such addresses.
    """

    address: str
    is_utf8: bool

    @classmethod
    def read(cls, address: str) -> Self:
        """Return an address as a mail carries it.

        Raises:
            AddressError: it is not one address, or its domain has no unambiguous form in ASCII.
        """
        local, _, domain = read_address(address).rpartition("@")
        if not domain.isascii():
            try:
                ascii_domain = domain.encode("idna").decode("ascii")
                is_same = ascii_domain.encode("ascii").decode("idna") == domain.lower()
            except UnicodeError:
                is_same = False
            if not is_same:  # such as a sharp s, which old software reads as 'ss': that is another domain
                raise AddressError(f"the domain of '{address}' must be written in its ASCII form, as xn--...")
            domain = ascii_domain
        return cls(f"{local}@{domain}", not local.isascii())

    @property
    def policy(self) -> policy.EmailPolicy[EmailMessage]:
        """Return how a mail to this address is written."""
        return policy.SMTPUTF8 if self.is_utf8 else policy.SMTP.clone(cte_type="7bit")


class Outbox(Protocol):
    """Takes mails, one at a time."""

    @property
    def is_repeatable(self) -> bool:
        """Whether handing over a mail again replaces it, so that a recipient cannot get it twice."""

    def __enter__(self) -> Self:
        """Make ready to take mails."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish; what was taken stays taken."""

    def send(self, message: EmailMessage, recipient: Recipient, name: str) -> Outcome:
        """Hand one mail over. ``name`` is unique for the mail within its campaign.

        Raises:
            AccessReviewError: no mail can be handed over any more; this one was not.
        """


class MailFolder:
    """Writes mails to ``.eml`` files, which mail programs open as drafts. Only their owner may read them."""

    is_repeatable = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def send(self, message: EmailMessage, recipient: Recipient, name: str) -> Outcome:
        """Write one mail to ``<name>.eml``; a file of that name is replaced.

        Raises:
            RenderError: the file cannot be written.
        """
        path = self._folder / f"{name}.eml"
        message["X-Unsent"] = "1"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replace_file(path, mode=0o600) as draft:
                draft.write_bytes(message.as_bytes(policy=recipient.policy))
        except OSError as error:
            raise RenderError(
                f"a mail cannot be written: {error.strerror}",
                where=str(path),
                hint="check the folder, its permissions and the free space",
            ) from error
        return Outcome("written", str(path))


class MailServer:
    """A connection to the mail server of the configuration.

    ``tls`` verifies its certificate. Without encryption nothing is sent where STARTTLS is required, and the password
    never is unless the server is on this machine.
    """

    is_repeatable = False

    def __init__(
        self, settings: MailSettings, password: Secret | None, tls: ssl.SSLContext, *, timeout: float = _TIMEOUT
    ) -> None:
        self._settings = settings
        self._password = password
        self._tls = tls
        self._timeout = timeout
        self._where = f"mail server {settings.host}:{settings.port}"
        self._sender = Recipient.read(settings.sender or "")
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self._drop()

    def send(self, message: EmailMessage, recipient: Recipient, name: str) -> Outcome:  # noqa: ARG002
        """Hand one mail over. A connection that the server has closed is opened again, once for each mail.

        Raises:
            UnreachableError: the server cannot be reached any more.
            LoginError: it refuses the login.
        """
        is_utf8 = recipient.is_utf8 or self._sender.is_utf8
        content = message.as_bytes(policy=policy.SMTPUTF8 if is_utf8 else recipient.policy)
        for _attempt in range(2):
            smtp = self._smtp or self._connect()
            if is_utf8 and not smtp.has_extn("smtputf8"):
                return Outcome("failed", "the mail server takes only addresses in ASCII (it does not offer SMTPUTF8)")
            try:
                refusal = self._envelope(smtp, recipient, len(content), is_utf8=is_utf8)
            except (smtplib.SMTPException, OSError):  # nothing was handed over yet
                self._drop()
                continue
            return refusal or self._content(smtp, content)
        raise UnreachableError(
            "the mail server closed the connection before it took a mail",
            where=self._where,
            hint="try again later; mails that were sent are not sent again",
        )

    def _envelope(self, smtp: smtplib.SMTP, recipient: Recipient, size: int, *, is_utf8: bool) -> Outcome | None:
        """Announce a mail; None if the server waits for its content.

        Raises:
            SMTPServerDisconnected: the server has closed the connection, or is about to.
        """
        options = ["SMTPUTF8", "BODY=8BITMIME"] if is_utf8 else []
        if smtp.has_extn("size"):
            options.append(f"SIZE={size}")
        what, accepted = "the sender", {250}
        code, reply = smtp.mail(self._sender.address, options)
        if code in accepted:
            what, accepted = "the recipient", {250, 251}
            code, reply = smtp.rcpt(recipient.address)
        if code in accepted and what == "the recipient":
            what, accepted = "the mail", {354}
            code, reply = smtp.docmd("DATA")
        if code in accepted:
            return None
        if code == _CLOSING:
            raise smtplib.SMTPServerDisconnected("closing")
        with suppress(smtplib.SMTPException, OSError):
            smtp.rset()
        return _refused(what, code, reply)

    def _content(self, smtp: smtplib.SMTP, content: bytes) -> Outcome:
        """Hand over the content of a mail that was announced."""
        lines = re.sub(rb"(?m)^\.", b"..", content)
        try:
            smtp.send(lines + (b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n"))
            code, reply = smtp.getreply()
        except (smtplib.SMTPException, OSError):
            self._drop()
            return Outcome("uncertain", "the connection broke before the mail server confirmed the mail")
        if code == _CLOSING:
            self._drop()
        return Outcome("sent") if code == 250 else _refused("the mail", code, reply)

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        local_name = "localhost" if is_loopback(settings.host) else None
        try:
            if settings.is_implicit_tls:
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                    settings.host, settings.port, local_name, timeout=self._timeout, context=self._tls
                )
            else:
                smtp = smtplib.SMTP(settings.host, settings.port, local_name, timeout=self._timeout)
        except (smtplib.SMTPException, OSError) as error:
            raise self._unreachable(error) from None
        try:
            smtp.ehlo_or_helo_if_needed()
            if settings.requires_starttls:
                self._encrypt(smtp)
            if settings.username is not None:
                self._log_in(smtp, settings.username)
        except (smtplib.SMTPException, OSError) as error:
            smtp.close()
            raise self._unreachable(error) from None
        except BaseException:
            smtp.close()
            raise
        self._smtp = smtp
        return smtp

    def _encrypt(self, smtp: smtplib.SMTP) -> None:
        if not smtp.has_extn("starttls"):
            raise UnreachableError(
                "the mail server does not offer STARTTLS, so nothing was sent",
                where=self._where,
                hint="use smtps:// if the server has it; 'starttls = false' sends mail unencrypted",
            )
        smtp.starttls(context=self._tls)
        smtp.ehlo_or_helo_if_needed()

    def _log_in(self, smtp: smtplib.SMTP, username: str) -> None:
        is_encrypted = self._settings.is_implicit_tls or self._settings.requires_starttls
        if not is_encrypted and not is_loopback(self._settings.host):
            raise AssertionError("settings that would send a password unencrypted are refused when they are read")
        if not smtp.has_extn("auth"):
            raise LoginError(
                "the mail server offers no login",
                where=self._where,
                hint="remove 'username' from [mail] if the server needs none, or use its port for submission",
            )
        try:
            smtp.login(username, self._password.reveal() if self._password else "")
        except smtplib.SMTPAuthenticationError as error:
            # the answer of the server is left out: it may repeat what it was sent
            raise LoginError(
                f"the mail server refused the login of '{username}' ({error.smtp_code})",
                where=self._where,
                hint="check 'username' in [mail] and the password in ACCESS_REVIEW_SMTP_PASSWORD",
            ) from None

    def _unreachable(self, error: Exception) -> UnreachableError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return UnreachableError(
                f"the certificate of the mail server cannot be trusted: {error.verify_message}",
                where=self._where,
                hint="write the server in smtp_url as in its certificate; 'ca_bundle' in [mail] trusts a private CA",
            )
        if isinstance(error, smtplib.SMTPResponseException):
            reason = _refused("the connection", error.smtp_code, error.smtp_error).detail
        elif isinstance(error, TimeoutError):
            reason = "no answer in time"
        else:
            reason = getattr(error, "strerror", None) or _one_line(str(error))
        return UnreachableError(
            f"the mail server cannot be used: {reason}",
            where=self._where,
            hint="check smtp_url in [mail] and that this machine may connect to the server",
        )

    def _drop(self) -> None:
        """Close the connection, whatever state it is in."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _refused(what: str, code: int, reply: bytes | str) -> Outcome:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return Outcome("failed", f"the mail server refused {what}: {code} {_one_line(text)}".rstrip())


def _one_line(text: str) -> str:
    """Return an answer of the server on one short line, without links: a filter may repeat that of a reviewer."""
    text = re.sub(r"https?:\S+", "(link)", text)
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:_SHOWN]
