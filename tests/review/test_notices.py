"""Reviewers and owners get each mail once, whatever happens in between, and never another person's link."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipeline.errors import GateError, LoginError, MissingSecretError
from pipeline.review import campaign as campaigns
from pipeline.review.answers import Answer
from pipeline.review.campaign import NewCampaign
from pipeline.review.filenames import workbook_path
from pipeline.review.notices import Handover, MailRun, hand_over, invite, remind
from pipeline.review.store import Actor, LinkRefusedError, ReassignmentRefused, ReviewStore
from pipeline.settings import Settings, load_settings
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.fakes.mail import PASSWORD, USERNAME, FakeMailServer, parsed
from tests.warehouse.builds import only
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

NOW = datetime(2026, 1, 10, 9, tzinfo=UTC)
DUE = date(2026, 1, 20)
ANN, BO, CISO = "ann@example.com", "bo@example.com", "ciso@example.com"
SOURCE = '[sources.prod]\nkind = "sisense"\nurl = "https://sisense.example.com"\nusername = "reader"\n'
WEB = '[web]\nbase_url = "https://reviews.example.com"\nowners = ["ciso@example.com"]\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    """Return the file of a campaign in which Bo reviews everyone but himself, whom Ann reviews."""
    folder = tmp_path_factory.mktemp("made")
    with database.writing(folder / "access-review.duckdb", notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        users = [user("ann"), user("bo"), user("cy", roleId="r-admin"), user("di")]
        house.build(house.land("20260101T000000Z-0000", {"prod": Source(users)}), models=only(models))
        new = NewCampaign("Q1", reviewers=(BO, ANN), due_on=DUE)
        ReviewStore.make(connection, campaigns.open_campaign(connection, new, NOW), folder / "review.sqlite").close()
    return folder / "review.sqlite"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Iterator[ReviewStore]:
    folder = tmp_path / "out" / "campaigns" / "Q1"
    folder.mkdir(parents=True)
    with ReviewStore.open(Path(shutil.copy(made, folder / "review.sqlite"))) as opened:
        yield opened


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[..., Settings]:
    def written(port: int | None = None, more: str = "", web: str = WEB) -> Settings:
        mail = (
            f'[mail]\nfrom = "Access reviews <ar@example.com>"\nsmtp_url = "smtp://127.0.0.1:{port}"\n'
            if port
            else ""
        )
        (tmp_path / "access-review.toml").write_text(
            f'[organization]\nname = "Example"\n{SOURCE}{web}{mail}{more}', encoding="utf-8"
        )
        return load_settings(tmp_path / "access-review.toml")

    return written


def states(run: MailRun) -> dict[str, str]:
    return {each.recipient: each.state for each in run.results}


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def link(message: EmailMessage) -> str:
    [token] = set(re.findall(r"https://reviews\.example\.com/link/([\w-]+)", part(message, "plain")))
    assert f"/link/{token}" in part(message, "html")
    return str(token)


def test_each_reviewer_and_owner_is_invited_once_with_a_link_of_their_own(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    with FakeMailServer().running() as fake:
        first = invite(store, settings_of(fake.port), {}, now=NOW)
        again = invite(store, settings_of(fake.port), {}, now=NOW + timedelta(days=1))

    assert states(first) == {ANN: "sent", BO: "sent", CISO: "sent"}
    assert states(again) == {ANN: "sent_before", BO: "sent_before", CISO: "sent_before"}
    assert sorted(fake.recipients) == [ANN, BO, CISO]
    visitors = {to: store.check_link(link(fake.mails(to)[0]), NOW) for to in (ANN, BO, CISO)}
    assert {to: (visitor.email, visitor.is_owner) for to, visitor in visitors.items()} == {
        ANN: (ANN, False), BO: (BO, False), CISO: (CISO, True)
    }  # fmt: skip
    assert [(mail.kind, mail.recipient, mail.delivery) for mail in store.mails()] == [
        ("invitation", to, "sent") for to in sorted((ANN, BO, CISO), key=[m.recipient for m in store.mails()].index)
    ]


def test_a_mail_says_what_by_when_and_whom_to_ask_and_a_name_adds_no_header(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    with store.writing() as connection:
        connection.execute("update campaign set organization = 'Example <script>\r\nBcc: all@example.com'")
    with FakeMailServer().running() as fake:
        more = '[sources.payroll]\nkind = "files"\npath = "payroll"\n'
        invite(store, settings_of(fake.port, more), {}, now=NOW)
    [message] = fake.mails(BO)
    progress = store.progress(BO)

    assert message["Subject"] == f"Access review Q1: {progress.items} items for you to decide, due 20 Jan 2026"
    assert (message["From"], message["To"]) == ("Access reviews <ar@example.com>", BO)
    assert (message["Reply-To"], message["Bcc"], message["Cc"]) == (CISO, None, None)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW
    assert re.fullmatch(r"<[^@\s]+@example\.com>", message["Message-ID"])
    for kind in ("plain", "html"):
        words = " ".join(part(message, kind).split())
        assert "Bcc: all@example.com reviews who has access to Sisense (prod) and payroll" in words
        assert f"{progress.items} items, {progress.high_risk} of them high risk" in words
        assert "decide by 20 Jan 2026" in words
        assert "up to and including 23 Jan 2026" in words
        assert CISO in words
    assert "<script" not in part(message, "html")
    assert "src=" not in part(message, "html")


def test_a_link_lasts_at_least_through_the_due_date(store: ReviewStore, settings_of: Callable[..., Settings]) -> None:
    due_on = NOW.date() + timedelta(days=30)
    with store.writing() as connection:
        connection.execute("update campaign set due_on = $day", {"day": due_on.isoformat()})
    with FakeMailServer().running() as fake:
        invite(store, settings_of(fake.port), {}, now=NOW)

    token = link(fake.mails(BO)[0])
    assert store.check_link(token, NOW + timedelta(days=30, hours=12)).email == BO


def test_reminders_go_to_those_with_open_items_once_a_day(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    for card in store.cards(ANN)[0]:
        for item in card.items:
            store.decide(Actor(ANN, "link"), item.item_id, Answer("keep", "needed"), now=NOW)
    with FakeMailServer().running() as fake:
        settings = settings_of(fake.port)
        invite(store, settings, {}, now=NOW)
        same_day = [remind(store, settings, {}, now=NOW + timedelta(hours=hour)) for hour in (1, 2)]
        next_day = remind(store, settings, {}, now=NOW + timedelta(days=1), reviewers=[ANN, BO])
        other = remind(store, settings, {}, now=NOW + timedelta(days=2), reviewers=[ANN])

    assert [states(run) for run in same_day] == [{BO: "sent"}, {BO: "sent_before"}]
    assert states(next_day) == {BO: "sent"}
    assert states(other) == {}
    invitation, reminder, newest = fake.mails(BO)
    assert reminder["Subject"].startswith(f"Reminder: access review Q1, {store.progress(BO).pending} open items")
    with pytest.raises(LinkRefusedError, match="replaced"):
        store.check_link(link(invitation), NOW)
    assert store.check_link(link(newest), NOW + timedelta(days=1)).email == BO


def test_only_overdue_campaigns_are_reminded_of_if_asked_so(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    due = datetime(DUE.year, DUE.month, DUE.day, 23, tzinfo=UTC)
    with FakeMailServer().running() as fake:
        early = remind(store, settings_of(fake.port), {}, now=due, only_overdue=True)
        late = remind(store, settings_of(fake.port), {}, now=due + timedelta(days=3), only_overdue=True)

    assert (early.results, early.notes) == ((), ("the campaign is not overdue",))
    assert states(late) == {ANN: "sent", BO: "sent"}
    assert fake.mails(BO)[0]["Subject"].startswith("Overdue: access review Q1")
    assert "due on 20 Jan 2026, 3 days ago" in " ".join(part(fake.mails(BO)[0], "plain").split())


def test_a_refused_recipient_is_named_the_others_get_theirs_and_a_second_call_sends_the_rest(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    fake = FakeMailServer(refusals={ANN: "451 4.7.1 Try again later"})
    with fake.running():
        first = invite(store, settings_of(fake.port), {}, now=NOW)
        fake.refusals.clear()
        second = invite(store, settings_of(fake.port), {}, now=NOW)

    assert states(first) == {ANN: "failed", BO: "sent", CISO: "sent"}
    assert [each.detail for each in first.failures] == [
        "the mail server refused the recipient: 451 4.7.1 Try again later"
    ]
    assert states(second) == {ANN: "sent", BO: "sent_before", CISO: "sent_before"}
    assert sorted(fake.recipients) == [ANN, BO, CISO]


def test_a_lost_confirmation_is_uncertain_and_a_reminder_settles_it(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    fake = FakeMailServer(cuts={BO: "content"})
    with fake.running():
        settings = settings_of(fake.port)
        first = invite(store, settings, {}, now=NOW)
        second = invite(store, settings, {}, now=NOW + timedelta(minutes=1))
        remind(store, settings, {}, now=NOW + timedelta(minutes=2))
        third = invite(store, settings, {}, now=NOW + timedelta(minutes=3))

    assert states(first)[BO] == states(second)[BO] == "uncertain"
    assert "review remind" in second.failures[0].detail
    assert states(third)[BO] == "sent_before"
    assert [mail["Subject"].split()[0] for mail in fake.mails(BO)] == ["Access", "Reminder:"]


def test_a_call_that_is_killed_while_it_sends_sends_no_mail_twice(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    # what a killed call leaves behind: the mail is logged, and whether it went out is unknown
    assert store.begin_mail("invitation", "", BO, "subject", now=NOW)
    with FakeMailServer().running() as fake:
        run = invite(store, settings_of(fake.port), {}, now=NOW + timedelta(hours=1))

    assert states(run) == {ANN: "sent", BO: "uncertain", CISO: "sent"}
    assert BO not in fake.recipients


def test_a_draft_that_a_killed_call_has_not_written_is_written(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    store.begin_mail("invitation", "", BO, "subject", now=NOW)

    run = invite(store, settings_of(), {}, now=NOW)

    assert states(run) == {ANN: "written", BO: "written", CISO: "written"}
    assert {mail.delivery for mail in store.mails()} == {"written"}


def test_drafts_open_in_a_mail_program_and_are_written_once(
    store: ReviewStore, settings_of: Callable[..., Settings], tmp_path: Path
) -> None:
    first = invite(store, settings_of(), {}, now=NOW)
    second = invite(store, settings_of(), {}, now=NOW)

    paths = sorted((tmp_path / "out" / "campaigns" / "Q1" / "mails").iterdir())
    assert [path.name for path in paths] == [
        "invitation-ann_example.com.eml", "invitation-bo_example.com.eml", "invitation-ciso_example.com.eml"
    ]  # fmt: skip
    assert sorted(each.detail for each in first.results) == [str(path) for path in paths]
    assert set(states(second).values()) == {"sent_before"}
    draft = parsed(paths[1].read_bytes())
    assert (draft["X-Unsent"], draft["To"], draft["From"]) == ("1", BO, None)
    assert store.check_link(link(draft), NOW).email == BO


def test_without_a_page_the_workbook_is_attached_and_owners_are_left_out(
    store: ReviewStore, settings_of: Callable[..., Settings], tmp_path: Path
) -> None:
    workbook = workbook_path(tmp_path / "out", "Q1", BO)
    workbook.write_bytes(b"a workbook")
    with FakeMailServer().running() as fake:
        run = invite(store, settings_of(fake.port, web='[web]\nowners = ["ciso@example.com"]\n'), {}, now=NOW)

    assert states(run) == {ANN: "failed", BO: "sent"}  # Ann's packet was not written
    assert "review packets" in run.failures[0].detail
    assert "base_url" in run.notes[0]
    [message] = fake.mails(BO)
    [attached] = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("packet-bo_example.com.xlsx", b"a workbook")
    assert "https://" not in part(message, "plain")
    asked = 'In its sheet "Decisions", fill in the columns "Decision" and "Reason", and send the workbook back'
    for kind in ("plain", "html"):
        words = html.unescape(re.sub("<[^>]+>", "", part(message, kind))).replace("“", '"').replace("”", '"')
        assert f"The attached workbook holds your items. {asked}" in " ".join(words.split())


def test_items_are_handed_over_and_the_new_reviewer_is_mailed(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    items = [item.item_id for card in store.cards(BO)[0] for item in card.items]
    one = Handover(items=items[:1], from_reviewer=BO, to_reviewer="Eve@Example.com", reason="on leave", by="ops")
    rest = Handover(items=None, from_reviewer=BO, to_reviewer="eve@example.com", reason="left the team", by="ops")
    with FakeMailServer().running() as fake:
        settings = settings_of(fake.port)
        moved = [
            hand_over(store, settings, {}, one, now=NOW),
            hand_over(store, settings, {}, rest, now=NOW + timedelta(1)),
        ]

    assert [count for count, _ in moved] == [1, len(items) - 1]
    assert [states(run) for _, run in moved] == [{"eve@example.com": "sent"}] * 2
    first, second = fake.mails("eve@example.com")
    assert first["Subject"].startswith("Access review Q1: 1 item handed over to you")
    words = " ".join(part(second, "plain").split())
    assert f"{len(items) - 1} items of bo@example.com are now yours to decide" in words
    assert "Reason: left the team" in words
    assert {item.original_reviewer_email for card in store.cards("eve@example.com")[0] for item in card.items} == {BO}
    assert store.check_link(link(second), NOW + timedelta(1)).email == "eve@example.com"


def test_what_cannot_be_handed_over_stays_and_no_mail_is_sent(
    store: ReviewStore, settings_of: Callable[..., Settings]
) -> None:
    holder = Handover(items=None, from_reviewer=BO, to_reviewer="cy@example.com", reason="x", by="ops")
    with FakeMailServer().running() as fake, pytest.raises(ReassignmentRefused, match="holds this access"):
        hand_over(store, settings_of(fake.port), {}, holder, now=NOW)

    assert fake.taken == []
    assert store.mails() == ()


def test_a_missing_password_changes_nothing_and_a_wrong_one_is_never_repeated_in_a_log(
    store: ReviewStore, settings_of: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    handover = Handover(items=None, from_reviewer=BO, to_reviewer="eve@example.com", reason="x", by="ops")
    with FakeMailServer().running(auth_require_tls=False) as fake:
        settings = settings_of(fake.port, f'username = "{USERNAME}"\n')
        with pytest.raises(MissingSecretError):
            hand_over(store, settings, {}, handover, now=NOW)
        refused = invite(store, settings, {"ACCESS_REVIEW_SMTP_PASSWORD": "hunter2-canary"}, now=NOW)
        sent = invite(store, settings, {"ACCESS_REVIEW_SMTP_PASSWORD": PASSWORD}, now=NOW)

    assert store.progress("eve@example.com").items == 0
    assert isinstance(refused.error, LoginError)
    assert set(states(refused).values()) == {"not_tried"}
    assert set(states(sent).values()) == {"sent"}
    content = b"".join(content for _, content in fake.taken) + store.path.read_bytes()
    assert b"hunter2" not in content
    assert PASSWORD.encode() not in content
    assert "hunter2" not in str(refused)


def test_links_are_in_the_mails_and_nowhere_else(
    store: ReviewStore, settings_of: Callable[..., Settings], tmp_path: Path
) -> None:
    fake = FakeMailServer()
    with fake.running():
        fake.rejections[ANN] = "554 5.7.1 https://reviews.example.com/link/abc is listed"
        run = invite(store, settings_of(fake.port), {}, now=NOW)
    token = link(fake.mails(BO)[0])

    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert token.encode() not in kept
    assert token not in str(run)
    assert "/link/" not in str(run)


def test_a_signed_off_campaign_sends_nothing(store: ReviewStore, settings_of: Callable[..., Settings]) -> None:
    with store.writing() as connection:
        connection.execute("update campaign set closed_at = '2026-01-30T00:00:00.000000'")

    with pytest.raises(GateError, match="signed off"):
        invite(store, settings_of(), {}, now=NOW)
