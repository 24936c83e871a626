"""The PDF of a packet: flagged access first, and names from the source as they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pypdf

from pipeline.reporting.packets import PacketContents, write_pdf

FACTS = {
    "place": 1, "card_id": "card-1", "who": "Ann", "email": "ann@example.com", "title": "Chef", "department": "Sales",
    "source": "prod", "type": "role", "access": "Admin", "allows": "View dashboards.",
    "opens": "14 dashboards, edits 2; model Orders, some rows", "permission_level": "standard",
    "path": "account -> role", "status": "active", "last_seen": "2025-12-01", "risk": "low", "why_flagged": None,
    "findings": None, "account_findings": None, "conflict": None, "peers": None, "change": "new",
    "recommendation": "keep", "recommendation_reason": None, "prior_decision": None, "decision": None,
}  # fmt: skip


def test_the_pdf_starts_with_high_risk_and_names_the_due_date(tmp_path: Path) -> None:
    rows = [
        FACTS
        | {
            "attention": "1 high risk",
            "risk": "critical",
            "card_id": "card-0",
            "who": "Zed",
            "why_flagged": "Critical risk: Leaver still active",
        },
        FACTS | {"attention": "2 new or changed", "place": 2},
        FACTS
        | {
            "attention": "4 unchanged, kept last time",
            "place": 3,
            "card_id": "card-2",
            "who": "Bo",
            "prior_decision": "keep by bo@example.com",
        },
    ]

    text = _pdf(tmp_path, rows)

    assert "please decide on 3 items of access, 1 of them high risk, by 31 Jan 2026" in text
    places = [
        text.rindex(title)
        for title in ("Flagged people No.", "New or changed access No.", "Unchanged, kept last time No.")
    ]
    assert places == sorted(places)
    assert "Critical risk: Leaver still active" in text
    assert "Ann Chef · Sales · ann@example.com · active, last seen 1 Dec 2025 · prod" in text
    assert "keep by bo@example.com" in text
    assert text.count("Opens 14 dashboards, edits 2; model Orders, some rows") == 3


def test_markup_in_a_name_stays_text_in_the_pdf(tmp_path: Path) -> None:
    name = "<img src='http://192.0.2.1/x'>{{ 7 * 7 }}"

    text = _pdf(tmp_path, [FACTS | {"attention": "3 other", "who": name}])

    assert name.replace(" ", "") in text.replace(" ", "")  # broken over lines


def test_a_long_pdf_is_cut_and_names_the_files_with_all_items(tmp_path: Path) -> None:
    rows = [FACTS | {"attention": "3 other", "place": place} for place in range(1, 4)]

    text = _pdf(tmp_path, rows, rows_shown=2)

    assert "2 of 3 items are shown here" in text
    assert "Other access 1 3" in text


def _pdf(folder: Path, rows: list[dict[str, object]], **options: int) -> str:
    path = folder / "packet.pdf"
    write_pdf(
        path,
        PacketContents(
            campaign="Q",
            snapshot_id="20260101T000000Z-0000",
            reviewer="r@example.com",
            due_on=date(2026, 1, 31),
            opened_at=datetime(2026, 1, 1, tzinfo=UTC),
            names=list(rows[0]),
            rows=[list(row.values()) for row in rows],
        ),
        **options,
    )
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split())
