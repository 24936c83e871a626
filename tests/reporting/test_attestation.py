"""A report attests only what a signed campaign supports, with its figures."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf

from pipeline.reporting import packets
from tests.reporting.sealing import write
from tests.reporting.test_packets import FACTS

SIGNED = {
    "campaign": "2026-Q4", "snapshot_id": "20261001T000000Z-aaaa", "scope": "all", "is_overdue": False,
    "opened_at": datetime.fromisoformat("2026-10-01"), "signed_at": datetime.fromisoformat("2026-10-20"),
    "signed_by": "Cleo Chief", "snapshot_items": 1300, "outside_scope": 60, "left_out": 6, "items": 1234,
    "kept": 1000, "removed": 200, "reduced": 20, "deferred": 4, "excepted": 10, "pending": 0, "high_risk": 7,
    "high_risk_pending": 0, "reviewers": 8, "snapshot_accounts": 500, "accounts": 480, "accounts_decided": 480,
    "timed": 0, "by_link": 900, "by_oidc": 0, "by_file": 334, "in_bulk": 12,
    "self_reviews": 0, "self_reviews_unknown": 0,
}  # fmt: skip
SUM = (
    (1, "done and verified", 150, 150), (2, "not yet verified", 60, 40), (3, "already gone", 8, 0),
    (4, "left out: it is a service account", 2, 0),
)  # fmt: skip


def reviewed(connection: Any, **changed: Any) -> Any:
    row = SIGNED | changed
    connection.execute(
        f"insert into reports.review_quality ({', '.join(row)}) values ({', '.join('?' * len(row))})",
        list(row.values()),
    )
    return connection


def section(connection: Any, folder: Path, name: str) -> str:
    written = write(connection, folder, "html")
    page = (written.folder / "access-review.html").read_text(encoding="utf-8")
    [found] = re.findall(rf'<section id="{name}".*?</section>', page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def test_without_a_review_there_is_a_form_instead_of_an_attestation(database: Any, tmp_path: Path) -> None:
    text = section(database(), tmp_path, "sign-off")

    assert text.startswith("Sign-off form")
    assert "No reviewer has decided on this access yet" in text
    assert "no reviewer has decided" in text
    assert "It does not confirm that the access is appropriate" in text
    assert "I have reviewed" not in text
    assert "own access" not in text


def test_an_open_review_gives_no_attestation(database: Any, tmp_path: Path) -> None:
    connection = reviewed(database(), signed_at=None, signed_by=None, pending=34, kept=966)

    text = section(connection, tmp_path, "sign-off")

    assert text.startswith("Sign-off form")
    assert "The review 2026-Q4 is open: 1,200 of 1,234 items are decided" in text


def test_a_signed_review_is_attested_with_its_figures_and_the_open_findings(database: Any, tmp_path: Path) -> None:
    connection = reviewed(database())
    connection.executemany(
        "insert into reports.decision_sums values ('2026-Q4', '2026-10-20', true, 220, ?, ?, ?, ?)", SUM
    )

    text = section(connection, tmp_path, "sign-off")

    assert text.startswith("Attestation")
    assert "signed off by Cleo Chief on 20 Oct 2026" in text
    assert "8 reviewers were asked to decide on 1,234 items of access of 480 accounts" in text
    assert "1,000 kept, 200 to be removed, 20 to be reduced, 4 deferred, 10 kept as an exception" in text
    assert "60 items outside its scope (all) and 6 left out with a reason" in text
    assert (
        "900 decisions on the page by a reviewer who came by a mailed link, which proves that the mailbox of the "
        "reviewer could be read; 334 decisions in returned files, which do not prove who filled them in. Of these, "
        "12 decisions accepted the recommendations for a person in one step."
    ) in text
    assert "OpenID" not in text
    assert "own access" not in text
    assert re.search(r"Open findings of this extract: \d+ critical, ", text)
    assert "220 decided to remove or reduce = 150 done and verified + 60 not yet verified + 8 already gone" in text


def test_the_remediation_section_adds_up(database: Any, tmp_path: Path) -> None:
    connection = reviewed(database())
    connection.executemany(
        "insert into reports.decision_sums values ('2026-Q4', '2026-10-20', true, 220, ?, ?, ?, ?)", SUM
    )

    text = section(connection, tmp_path, "remediation")

    assert (
        "220 decided to remove or reduce = 150 done and verified + 60 not yet verified + 8 already gone + "
        "2 left out: it is a service account."
    ) in text
    assert "For 20 of those not yet verified, no change has been sent yet." in text


def test_a_packet_names_the_other_side_of_a_conflict(tmp_path: Path) -> None:
    rows = [
        FACTS
        | {"attention": "1 high risk", "risk": "high"}
        | {"why_flagged": "High risk: Conflicts with group Payments (reviewed by bo@x.org)"},
        FACTS | {"attention": "3 other", "card_id": "card-2", "place": 2, "conflict": "group Audit (no. 1 here)"},
    ]
    path = tmp_path / "packet.pdf"

    packets.write_pdf(
        path,
        packets.PacketContents(
            campaign="Q",
            snapshot_id="s",
            reviewer="ann@example.com",
            due_on=None,
            opened_at=datetime(2026, 1, 1, tzinfo=UTC),
            names=list(rows[0]),
            rows=[list(row.values()) for row in rows],
        ),
    )

    text = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split())
    assert "High risk: Conflicts with group Payments (reviewed by bo@x.org)" in text
    assert "conflicts with group Audit (no. 1 here)" in text
