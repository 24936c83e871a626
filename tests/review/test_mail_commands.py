"""``review invite``, ``remind``, ``reassign`` and ``due`` as an operator runs them, against a real mail server."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest

from pipeline.review import campaign as campaigns
from pipeline.review.campaign import NewCampaign
from pipeline.warehouse import database
from pipeline.warehouse.model import Model
from tests.e2e.program import Outcome, command, run_command, surroundings
from tests.fakes.mail import FakeMailServer
from tests.warehouse.conftest import House, Source, models, user

__all__ = ["models"]

ANN, BO, EVE = "ann@example.com", "bo@example.com", "eve@example.com"
Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    """Return a folder with a database of one build, in which a campaign is open."""
    folder = tmp_path_factory.mktemp("built")
    with database.writing(folder / "access-review.duckdb", notify=lambda _: None) as connection:
        house = House(connection, folder, models)
        house.build(
            house.land(
                "20260101T000000Z-0000", {"prod": Source([user("ann"), user("bo"), user("cy", roleId="r-admin")])}
            )
        )
        now = datetime.now(UTC)
        campaigns.open_campaign(connection, NewCampaign("Q", reviewers=(BO, ANN), due_on=now.date()), now)
    return folder


@pytest.fixture
def run(built: Path, tmp_path: Path) -> Run:
    shutil.copy(built / "access-review.duckdb", tmp_path)

    def executed(*arguments: str, code: int = 0, configuration: str = "", **environment: str) -> Outcome:
        (tmp_path / "access-review.toml").write_text(configuration, encoding="utf-8")
        outcome = run_command(tmp_path, *arguments, **environment)
        assert outcome.code == code, outcome.stdout + outcome.stderr
        return outcome

    return executed


def server(fake: FakeMailServer, more: str = "") -> str:
    return (
        '[web]\nbase_url = "https://reviews.example.com"\nowners = ["ciso@example.com"]\n'
        f'[mail]\nfrom = "ar@example.com"\nsmtp_url = "smtp://127.0.0.1:{fake.port}"\n{more}'
    )


def test_the_table_names_each_recipient_and_a_second_call_sends_only_what_is_missing(run: Run) -> None:
    fake = FakeMailServer(refusals={ANN: "550 5.1.1 No such user"})
    with fake.running():
        first = run("review", "invite", configuration=server(fake), code=3)
        fake.refusals.clear()
        second = run("--json", "review", "invite", "--name", "Q", configuration=server(fake))
        reminded = run("review", "remind", configuration=server(fake))

    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in first.stdout.splitlines()}
    assert lines[BO] == "invitation sent"
    assert lines[ANN].startswith("invitation not sent: the mail server refused the recipient: 550")
    assert first.stderr.startswith("error: 1 mail of 3 was not sent")
    states = {mail["recipient"]: mail["state"] for mail in second.result["mails"]}
    assert states == {ANN: "sent", BO: "sent_before", "ciso@example.com": "sent_before"}
    assert "reminder" in reminded.stdout
    assert sorted(fake.recipients) == [ANN, ANN, BO, BO, "ciso@example.com"]
    assert "/link/" not in first.stdout + first.stderr + second.stdout


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_call_sends_no_mail_twice_and_the_next_one_says_which_is_uncertain(
    run: Run, tmp_path: Path, moment: str
) -> None:
    fake = FakeMailServer(holds={BO: moment})
    with fake.running():
        (tmp_path / "access-review.toml").write_text(server(fake), encoding="utf-8")
        with subprocess.Popen(command("review", "invite"), cwd=tmp_path, env=surroundings()) as process:
            assert fake.held.wait(60)
            process.kill()
        fake.holds.clear()
        second = run("--json", "review", "invite", configuration=server(fake), code=3)
        third = run("review", "remind", configuration=server(fake))

    assert {mail["recipient"]: mail["state"] for mail in second.result["mails"]}[BO] == "uncertain"
    invitations = Counter(to for to, content in fake.taken if b"Reminder:" not in content)
    assert invitations == {ANN: 1, "ciso@example.com": 1} | ({BO: 1} if moment == "after" else {})
    assert f"{BO} reminder sent" in " ".join(third.stdout.split())


def test_a_server_that_cannot_be_used_is_an_error_of_the_source_and_nothing_is_logged_as_sent(run: Run) -> None:
    with FakeMailServer().running() as fake:
        pass
    closed = run("review", "invite", configuration=server(fake), code=3)
    missing = run("review", "invite", configuration=server(fake, 'username = "ar"\n'), code=2)
    with fake.running():
        run("review", "invite", configuration=server(fake))

    assert "the mail server cannot be used" in closed.stderr
    assert closed.stdout.count("not sent") == 3
    assert "ACCESS_REVIEW_SMTP_PASSWORD" in missing.stderr
    assert len(fake.recipients) == 3


def test_without_page_and_server_packets_and_drafts_are_written_and_a_reassignment_gets_its_own(
    run: Run, tmp_path: Path
) -> None:
    invited = run("review", "invite")
    moved = run("--json", "review", "reassign", "--all", "--from", BO, "--to", EVE, "--reason", "on leave").result
    again = run("review", "reassign", "--all", "--from", BO, "--to", EVE, "--reason", "on leave", code=2)
    holder = run("review", "reassign", "--all", "--from", EVE, "--to", "cy@example.com", "--reason", "x", code=2)

    folder = tmp_path / "out" / "campaigns" / "Q"
    assert sorted(path.name for path in (folder / "mails").glob("invitation-*")) == [
        "invitation-ann_example.com.eml", "invitation-bo_example.com.eml"
    ]  # fmt: skip
    assert invited.stdout.count("written to") == 2
    assert [(mail["recipient"], mail["kind"], mail["state"]) for mail in moved["mails"]] == [
        (EVE, "reassignment", "written")
    ]
    assert "nothing was reassigned: bo@example.com has no open items" in again.stderr
    assert "holds this access" in holder.stderr
    with duckdb.connect(str(tmp_path / "access-review.duckdb"), read_only=True) as connection:
        recorded = connection.execute(
            "select from_email, to_email, reason, count(*) from review.reassignments group by all"
        ).fetchall()
    assert recorded == [(BO, EVE, "on leave", moved["items"])]
    workbook = openpyxl.load_workbook(folder / "packet-eve_example.com.xlsx")
    assert workbook.sheetnames


def test_reassign_needs_items_and_does_not_guess(run: Run) -> None:
    neither = run("review", "reassign", "--from", BO, "--to", EVE, "--reason", "x", code=2)
    wrong = run("review", "reassign", "--item", "nope", "--from", BO, "--to", EVE, "--reason", "x", code=2)

    assert "--item ID, or --all" in neither.stderr
    assert "not assigned to bo@example.com: nope" in wrong.stderr


def test_what_is_due_is_shown_and_opened_once(run: Run, tmp_path: Path) -> None:
    today = datetime.now(UTC)
    cadence = '[cadence]\nprivileged = "monthly"\nexternal = "yearly"\n'
    with duckdb.connect(str(tmp_path / "access-review.duckdb")) as connection:
        connection.execute("update review.campaigns set scope = 'flagged'")

    shown = run("--json", "review", "due", configuration=cadence).result
    opened = run("--json", "review", "due", "--open", "--reviewer", "ciso@example.com", configuration=cadence, code=1)
    after = run("review", "due", configuration=cadence)
    none = run("review", "due", code=2)

    name = f"{today:%Y-%m}-privileged"
    assert [(each["scope"], each["state"]) for each in shown] == [("external", "due"), ("privileged", "due")]
    assert shown[1]["campaign"] == name
    assert shown[0]["due_on"] == f"{today.year}-12-31"
    states = {each["campaign"]: (each["is_opened"], each["problem"]) for each in opened.result}
    assert states[f"{today.year}-external"] == (False, "there is nothing to review")
    assert states[name] == (True, None)
    assert f"{name} is open since" in after.stdout
    assert "[cadence]" in none.stderr


def test_a_campaign_that_is_not_overdue_sends_no_reminder(run: Run) -> None:
    with FakeMailServer().running() as fake:
        run("review", "remind", "--overdue", configuration=server(fake))

    assert fake.taken == []
