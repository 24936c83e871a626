"""Mails reach a real mail server once, whatever it refuses and whenever it hangs up, and encrypted where required."""

from __future__ import annotations

import ssl
import stat
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipeline.addresses import AddressError
from pipeline.errors import LoginError, RenderError, UnreachableError
from pipeline.review.delivery import MailFolder, MailServer, Outcome, Recipient
from pipeline.settings import MailSettings, Secret
from pipeline.sources.network import trusted_authorities
from tests.fakes.mail import PASSWORD, USERNAME, FakeMailServer, parsed
from tests.sources.conftest import certificate

__all__ = ["certificate"]

Certificate = tuple[Path, ssl.SSLContext]
LINK = "https://reviews.example.com/link/secret-token"


def mail(to: str, body: str = f"Open {LINK}\n.\n..a line of dots\n") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ar@example.com", to, "Access review"
    message.set_content(body)
    return message


def text_of(message: EmailMessage) -> str:
    return message.get_content().replace("\r\n", "\n")


def connection(
    fake: FakeMailServer, *, scheme: str = "smtp", password: str | None = None, ca: Path | None = None, **keys: bool
) -> MailServer:
    settings = MailSettings(
        sender="Access reviews <ar@example.com>",
        smtp_url=f"{scheme}://127.0.0.1:{fake.port}",
        username=USERNAME if password else None,
        **keys,  # type: ignore[arg-type]
    )
    tls, _ = trusted_authorities(ca, "mail", {})
    return MailServer(settings, Secret(password) if password else None, tls, timeout=10)


def send(server: MailServer, *recipients: str) -> list[Outcome]:
    with server:
        return [server.send(mail(each), Recipient.read(each), "name") for each in recipients]


def test_one_connection_serves_many_mails_and_their_text_arrives_unchanged() -> None:
    with FakeMailServer().running() as fake:
        outcomes = send(connection(fake), "ann@example.com", "bo@example.com", "cy@example.com")

    assert outcomes == [Outcome("sent")] * 3
    assert fake.connections == 1
    assert fake.recipients == ["ann@example.com", "bo@example.com", "cy@example.com"]
    assert text_of(fake.mails("bo@example.com")[0]) == f"Open {LINK}\n.\n..a line of dots\n"


def test_a_refused_recipient_does_not_keep_the_others_from_theirs() -> None:
    fake = FakeMailServer(
        refusals={"gone@example.com": "550 5.1.1 No such user", "full@example.com": "452 4.2.2 Mailbox full"},
        rejections={"spam@example.com": f"554 5.7.1 Refused because of {LINK}"},
    )
    with fake.running():
        server = connection(fake)
        outcomes = send(
            server, "gone@example.com", "ann@example.com", "full@example.com", "spam@example.com", "bo@x.test"
        )
        fake.refusals.clear()
        again = send(connection(fake), "full@example.com")

    assert [outcome.state for outcome in outcomes] == ["failed", "sent", "failed", "failed", "sent"]
    assert outcomes[0].detail == "the mail server refused the recipient: 550 5.1.1 No such user"
    assert "452" in outcomes[2].detail
    assert "refused the mail: 554 5.7.1" in outcomes[3].detail
    assert "secret-token" not in outcomes[3].detail
    assert [outcome.state for outcome in again] == ["sent"]


def test_a_connection_that_breaks_before_a_mail_is_handed_over_is_made_again() -> None:
    fake = FakeMailServer(cuts={"bo@example.com": "rcpt"})
    with fake.running():
        outcomes = send(connection(fake), "ann@example.com", "bo@example.com", "cy@example.com")

    assert [outcome.state for outcome in outcomes] == ["sent", "sent", "sent"]
    assert fake.connections == 2
    assert fake.recipients == ["ann@example.com", "bo@example.com", "cy@example.com"]


def test_a_mail_whose_confirmation_is_lost_is_uncertain_and_not_repeated() -> None:
    fake = FakeMailServer(cuts={"bo@example.com": "content"})
    with fake.running():
        outcomes = send(connection(fake), "ann@example.com", "bo@example.com", "cy@example.com")

    assert [outcome.state for outcome in outcomes] == ["sent", "uncertain", "sent"]
    assert fake.recipients.count("bo@example.com") == 1


def test_a_server_that_goes_away_ends_the_run_with_an_error() -> None:
    with ExitStack() as running:
        fake = running.enter_context(FakeMailServer().running())
        server = running.enter_context(connection(fake))
        server.send(mail("ann@example.com"), Recipient.read("ann@example.com"), "name")
        fake.refusals = {"bo@example.com": "421 4.3.2 Shutting down"}

        with pytest.raises(UnreachableError, match="closed the connection"):
            server.send(mail("bo@example.com"), Recipient.read("bo@example.com"), "name")

    with pytest.raises(UnreachableError, match="mail server cannot be used"):
        send(connection(fake), "ann@example.com")


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_and_password_travel_encrypted(certificate: Certificate, scheme: str) -> None:
    path, context = certificate
    # aiosmtpd counts only STARTTLS as TLS
    kind = (
        {"starttls": context, "auth_required": True}
        if scheme == "smtp"
        else {"tls": context, "auth_require_tls": False}
    )
    keys = {"starttls": True} if scheme == "smtp" else {}
    with FakeMailServer().running(**kind) as fake:  # type: ignore[arg-type]
        outcomes = send(connection(fake, scheme=scheme, password=PASSWORD, ca=path, **keys), "ann@example.com")

    assert outcomes == [Outcome("sent")]
    assert fake.is_encrypted == [True]
    assert fake.logins == [USERNAME]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_an_untrusted_certificate_is_refused_before_anything_is_sent(certificate: Certificate, scheme: str) -> None:
    kind = {"starttls" if scheme == "smtp" else "tls": certificate[1]}
    keys = {"starttls": True} if scheme == "smtp" else {}
    with (
        FakeMailServer().running(**kind) as fake,
        pytest.raises(UnreachableError, match="certificate of the mail server cannot be trusted") as caught,
    ):
        send(connection(fake, scheme=scheme, password=PASSWORD, **keys), "ann@example.com")

    assert "ca_bundle" in caught.value.hint
    assert (fake.logins, fake.taken) == ([], [])


def test_without_starttls_nothing_is_sent_where_it_is_required() -> None:
    with FakeMailServer().running() as fake, pytest.raises(UnreachableError, match="does not offer STARTTLS"):
        send(connection(fake, starttls=True), "ann@example.com")

    assert fake.taken == []


def test_a_refused_login_is_said_without_the_password() -> None:
    with (
        FakeMailServer().running(auth_require_tls=False) as fake,
        pytest.raises(LoginError, match=r"refused the login of 'access-review' \(535\)") as caught,
    ):
        send(connection(fake, password="hunter2"), "ann@example.com")

    assert "hunter2" not in str(caught.value) + caught.value.hint + repr(caught.value.__context__)
    assert "ACCESS_REVIEW_SMTP_PASSWORD" in caught.value.hint
    assert fake.taken == []


def test_a_server_without_logins_is_said(certificate: Certificate) -> None:
    # this one offers logins only after STARTTLS
    with (
        FakeMailServer().running(starttls=certificate[1]) as fake,
        pytest.raises(LoginError, match="offers no login"),
    ):
        send(connection(fake, password=PASSWORD), "ann@example.com")


def test_addresses_of_all_scripts_are_delivered_or_refused_in_words() -> None:
    greek = "δοκιμή@παράδειγμα.test"
    with FakeMailServer().running() as fake:
        sent = send(connection(fake), greek, "ann@bücher.test")
    with FakeMailServer().running(enable_SMTPUTF8=False) as old:
        refused = send(connection(old), greek, "ann@bücher.test")

    assert [outcome.state for outcome in sent] == ["sent", "sent"]
    assert fake.recipients == ["δοκιμή@xn--hxajbheg2az3al.test", "ann@xn--bcher-kva.test"]
    assert [outcome.state for outcome in refused] == ["failed", "sent"]
    assert "SMTPUTF8" in refused[0].detail


@pytest.mark.parametrize(
    "address", ["ann", "ann@x.test, bo@x.test", "ann@x.test\r\nRCPT TO:<bo@x.test>", "a@straße.test"]
)
def test_an_address_that_could_reach_others_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        Recipient.read(address)


def test_without_a_server_mails_become_drafts_that_only_their_owner_reads(tmp_path: Path) -> None:
    with MailFolder(tmp_path / "mails") as folder:
        first = folder.send(mail("ann@example.com"), Recipient.read("ann@example.com"), "invitation-ann")
        again = folder.send(mail("ann@example.com", "new\n"), Recipient.read("ann@example.com"), "invitation-ann")

    path = tmp_path / "mails" / "invitation-ann.eml"
    assert first == again == Outcome("written", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    draft = parsed(path.read_bytes())
    assert draft["X-Unsent"] == "1"
    assert text_of(draft) == "new\n"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "mails").write_text("in the way")

    with MailFolder(tmp_path / "mails") as folder, pytest.raises(RenderError, match="mail cannot be written"):
        folder.send(mail("ann@example.com"), Recipient.read("ann@example.com"), "x")
