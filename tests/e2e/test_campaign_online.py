"""A campaign as its people live it: invitations, the page, a reminder, a hand-over, a workbook, import, sign-off."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.review.filenames import workbook_path
from pipeline.simulator.server import Simulator
from tests.e2e.reviewing import LATER, NAME, SIGNATURE, Quarter, Row, fill_workbook, rows_of
from tests.e2e.serving import ServedReview, free_port
from tests.fakes.mail import FakeMailServer
from tests.web.plain_browser import Form, PlainBrowser, ShownPage

ANN, BO, CY, DEE, CISO, CFO = (f"{name}@example.com" for name in ("ann", "bo", "cy", "dee", "ciso", "cfo"))
#: Who reviews what. Ann and Ciso decide on the page, Cy returns a workbook, and Bo goes on leave.
OWNERS = {
    ANN: ("role,Admin", "role,Data Admin", "group,Data Platform Office North", "group,Data Platform Platform Alerts"),
    BO: ("group,Data Platform Platform Changes", "group,Data Platform Office South"),
    CY: ("group,Admins", "group,Data Platform Team"),
}


@pytest.fixture(scope="module")
def mail() -> Iterator[FakeMailServer]:
    with FakeMailServer().running() as server:
        yield server


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, mail: FakeMailServer) -> Iterator[tuple[Quarter, ServedReview]]:
    """Return an open campaign with a page that can be started."""
    folder = tmp_path_factory.mktemp("online")
    port = free_port()
    with Simulator(60, 7) as simulator:
        simulator.write_files(folder)
        owners = [f"{what},{email}" for email, held in OWNERS.items() for what in held]
        header = "entitlement_type,entitlement_name,reviewer_email"
        (folder / "policy" / "owners.csv").write_text("\n".join([header, *owners]) + "\n", encoding="utf-8")
        with (folder / "access-review.toml").open("a", encoding="utf-8") as configuration:
            configuration.write(
                f'[web]\nbase_url = "http://127.0.0.1:{port}"\nowners = ["{CISO}"]\n'
                f'[mail]\nfrom = "Access reviews <reviews@example.com>"\nsmtp_url = "smtp://127.0.0.1:{mail.port}"\n'
            )
        quarter = Quarter(simulator, folder)
        quarter.run("csv")
        scope = ("--scope", "privileged", "--due", "2099-12-31")
        quarter("review", "open", "--name", NAME, *scope, "--reviewer", "owner", "--reviewer", CISO)
        yield quarter, ServedReview(folder, port)


class Colleague:
    """Somebody with a mailbox and a browser."""

    def __init__(self, browser: PlainBrowser, mail: FakeMailServer, email: str) -> None:
        self.browser, self.email, self._mail = browser, email, mail

    @property
    def link(self) -> str:
        """The link in the newest mail."""
        message = self._mail.mails(self.email)[-1].get_body(("plain",))
        assert message is not None
        found = re.search(r"http\S+/link/[\w-]+", message.get_content())
        assert found is not None
        return found[0]

    def sign_in(self) -> ShownPage:
        """Open the link, after a mail scanner has, and press its button."""
        with PlainBrowser(self.browser.url) as scanner:
            assert scanner.open(self.link).status == 200
        return self.browser.press(self.browser.open(self.link).form("/link"))

    def decide(self, form: Form, decision: str, **answer: str) -> ShownPage:
        """Press the button of a decision, and answer what the page asks for then."""
        item = form.values["item_id"]
        shown = self.browser.press(form, decision.capitalize())
        if asked := [each for each in shown.forms_to("/decide") if each.values.get("decision") == decision]:
            [question] = asked
            assert question.values["item_id"] == item
            shown = self.browser.press(question, **answer)
        assert shown.status == 200
        return shown

    def decide_all(self, shown: ShownPage) -> int:
        """Accept what is recommended where that is offered, and keep the rest with a reason; return the steps."""
        for step in range(200):
            if offers := shown.forms_to("/accept"):
                shown = self.browser.press(offers[0])
            elif forms := [form for form in shown.forms_to("/decide") if not form.pressed]:
                shown = self.decide(forms[0], "keep", reason="needed, asked them")
            else:
                return step
        raise AssertionError("the list does not end")


def test_a_campaign_from_invitation_to_sign_off(opened: tuple[Quarter, ServedReview], mail: FakeMailServer) -> None:
    quarter, server = opened
    with ExitStack() as stack:
        everyone = {
            email: Colleague(stack.enter_context(PlainBrowser(server.url)), mail, email)
            for email in (ANN, BO, DEE, CISO)
        }
        ann, dee, ciso = everyone[ANN], everyone[DEE], everyone[CISO]

        # each reviewer, and the owner of the campaign, is invited once
        quarter("review", "invite")
        quarter("review", "invite")
        assert Counter(mail.recipients) == {ANN: 1, BO: 1, CY: 1, CISO: 1}
        stack.enter_context(server)

        # Ann comes by her link, which nobody can use again
        shown = ann.sign_in()
        count = re.search(r"Please decide on (\d+) items of access by 31 Dec 2099", shown.text)
        assert count is not None, shown.text
        with PlainBrowser(server.url) as thief:
            used = thief.open(ann.link)
            assert (used.status, used.forms_to("/link")) == (403, [])

        # she decides in every way that there is, and takes one decision back
        own = answers_of_ann(ann, shown)
        assert len(own) == 5

        # those with open items are reminded, with a new link
        quarter("review", "remind")
        assert Counter(mail.recipients) == {ANN: 2, BO: 2, CY: 2, CISO: 2}

        # Bo goes on leave: Dee gets a mail and Bo's items, which are no longer Bo's
        handed = everyone[BO].sign_in()
        items_of_bo = [form.values["item_id"] for form in handed.forms_to("/decide")]
        quarter("review", "reassign", "--all", "--from", BO, "--to", DEE, "--reason", "on leave")
        assert everyone[BO].browser.press(handed.forms_to("/decide")[0], "Keep").status in {403, 404}
        assert mail.recipients[-1] == DEE
        assert dee.decide_all(dee.sign_in()) > 0

        # Cy prefers a workbook; the two others finish on the page
        quarter("review", "packets")
        workbook = workbook_path(quarter.folder / "out", NAME, CY)
        returned = fill_workbook(workbook)
        finish = ann.browser.open("/")
        assert ann.decide_all(finish) > 0
        assert ciso.decide_all(ciso.sign_in()) > 0

        # the owner sees who is late, and every decision as it came
        progress = ciso.browser.open("/campaign")
        assert "1 of 4 reviewers has" in progress.text, progress.text
        log = ciso.browser.open("/campaign/decisions").text
        assert "with the recommendations" in log

        # what is on the page must be imported before the sign-off; a file brings the page in too
        refused = quarter("review", "sign-off", *SIGNATURE, code=1)
        assert "review import" in refused.stderr
        quarter("review", "import", str(workbook))
        brought = quarter("review", "import").stdout
        status = quarter.status()
        assert status["decisions"]["pending"] == 0, brought
        assert status["blockers"] == []
        shown_as_file = ciso.browser.open("/campaign/decisions").text
        assert "file" in shown_as_file
        assert "All" in ciso.browser.open("/campaign").text
        files = [Path(line) for line in quarter("review", "sign-off", *SIGNATURE).stdout.splitlines()]

        # the page can still be read, and changes nothing any more
        closed = ann.browser.open("/?decision=any")
        assert "This campaign was signed off" in closed.text
        assert closed.forms_to("/decide") == closed.forms_to("/undo") == []
        late = next(form for form in shown.forms_to("/decide"))
        assert ann.browser.press(late, "Keep").status == 409

    sealed = files[0].parent
    assert quarter("--json", "verify", str(sealed)).result["verified"] is True
    rows = {row["item_id"]: row for row in rows_of(sealed / "decisions.csv") if not row["exclusion_reason"]}
    assert_recorded(rows, own, items_of_bo, returned)
    assert_mails_recorded(quarter, mail)
    assert_quality(quarter, rows)


def answers_of_ann(ann: Colleague, shown: ShownPage) -> dict[str, dict[str, str]]:
    """Decide once in each way; return what must be sealed, by item."""
    browser = ann.browser
    forms = shown.forms_to("/decide")
    roles = [form for form in forms if any(label.startswith("Reduce") for label in form.buttons)]
    groups = [form for form in forms if form not in roles]

    # a decision without what it needs is not saved, and what was written stays
    asked = browser.press(roles[0], "Exception")
    [question] = [form for form in asked.forms_to("/decide") if "answered" in form.values]
    wrong = browser.press(question, approver="nobody", expires_on="2020-01-01")
    assert wrong.status == 422
    assert "is not after the day on which the campaign was opened" in wrong.text
    [question] = [form for form in wrong.forms_to("/decide") if "answered" in form.values]
    assert question.values["approver"] == "nobody"
    browser.press(question, approver=CFO, expires_on=LATER, reason="agreed")

    asked = browser.press(roles[1], "Reduce")
    [question] = [form for form in asked.forms_to("/decide") if "answered" in form.values]
    target = next(role for role in question.choices["target_role"] if role)
    browser.press(question, target_role=target, reason="reads only")
    ann.decide(roles[2], "remove", reason="left the team")
    ann.decide(groups[0], "defer", defer_until=LATER, reason="ask again")

    # undo: the decision before holds again
    ann.decide(groups[1], "keep")
    changed = ann.decide(groups[1], "remove")
    browser.press(changed.form("/undo"))
    person = browser.open(f"/people/{groups[1].values['card_id']}")
    assert person.form("/decide", item_id=groups[1].values["item_id"]).pressed.startswith("Keep")
    expected = [
        {"decision": "exception", "approver": CFO, "expires_on": LATER, "reason": "agreed"},
        {"decision": "reduce", "target_role": target, "reason": "reads only"},
        {"decision": "remove", "reason": "left the team"},
        {"decision": "defer", "defer_until": LATER, "reason": "ask again"},
        {"decision": "keep", "reason": ""},
    ]
    items = [form.values["item_id"] for form in (*roles[:3], *groups[:2])]
    return dict(zip(items, expected, strict=True))


def assert_recorded(
    rows: dict[str, Row], own: dict[str, dict[str, str]], items_of_bo: list[str], returned: int
) -> None:
    """Every sealed decision says who made it, when, how and from where."""
    for item_id, expected in own.items():
        assert expected.items() <= rows[item_id].items()
    by_method = Counter((row["decided_by"], row["method"]) for row in rows.values())
    assert set(by_method) == {(ANN, "link"), (DEE, "link"), (CISO, "link"), (CY, "file")}
    assert by_method[CY, "file"] == returned
    bulk = Counter(row["decided_by"] for row in rows.values() if row["is_bulk"] == "true")
    assert bulk[ANN] > 0
    assert bulk[CY] == 0
    for row in rows.values():
        is_online = row["method"] == "link"
        assert bool(row["decided_at"]) == is_online
        assert row["decided_from"] == ("127.0.0.1" if is_online else "")
        if is_online:
            assert row["decided_at"] <= row["imported_at"]
    of_bo = {item_id for item_id, row in rows.items() if row["original_reviewer_email"] == BO}
    assert of_bo >= set(items_of_bo)
    assert {rows[item_id]["reviewer_email"] for item_id in of_bo} == {DEE}


def assert_mails_recorded(quarter: Quarter, mail: FakeMailServer) -> None:
    """Each mail that was sent is in the database, without the link that was in it."""
    statement = "select kind, recipient, delivery from review.mails"
    recorded = quarter("--json", "sql", statement).result
    assert Counter(row["recipient"] for row in recorded) == Counter(mail.recipients)
    assert {row["delivery"] for row in recorded} == {"sent"}
    kinds = Counter(row["kind"] for row in recorded)
    assert kinds == {"invitation": 4, "reminder": 4, "reassignment": 1}
    secrets = re.findall(rb"/link/([\w-]{40})", b"".join(content.replace(b"=\r\n", b"") for _, content in mail.taken))
    assert secrets
    database = (quarter.folder / "access-review.duckdb").read_bytes()
    store = b"".join(path.read_bytes() for path in (quarter.folder / "out").rglob("review.sqlite*"))
    assert not any(secret in database or secret in store for secret in secrets)


def assert_quality(quarter: Quarter, rows: dict[str, Row]) -> None:
    """The next build knows how long a decision took."""
    quarter("extract")
    quarter("build")
    statement = f"select * from reports.review_quality where campaign = '{NAME}'"
    [quality] = quarter("--json", "sql", statement).result
    assert quality["timed"] == sum(bool(row["decided_at"]) for row in rows.values())
    assert 0 < quality["median_seconds"] < 60
    assert quality["pending"] == 0
