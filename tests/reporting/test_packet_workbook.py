"""A reviewer's workbook: it opens on the progress and asks in words; text from the source cannot run in it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.reporting import packet_workbook
from pipeline.reporting.packets import PacketContents

FACTS: dict[str, Any] = {
    "campaign": "campaign Q", "reviewer": "reviewer r@example.com", "place": 1, "attention": "1 high risk",
    "who": "Ann Ek", "email": "ann@example.com", "source": "prod", "type": "role", "access": "Admin",
    "permission_level": "privileged", "path": "Ann Ek > role Admin", "status": "active", "last_seen": "2025-12-01",
    "risk": "high", "why_flagged": "High risk: privileged role", "findings": None, "conflict": None, "peers": None,
    "change": "no_baseline", "recommendation": "no_information", "recommendation_reason": None,
    "prior_decision": "keep by bo@example.com on 2025-09-01", "decision": None, "reason": None, "target_role": None,
    "defer_until": None, "approver": None, "expires_on": None, "card_id": "card-1", "item_id": "item-1",
}  # fmt: skip
ROLES = [
    ("prod", "Viewer", 15), ("prod", "Designer", 40), ("prod", "Admin", 90), ("prod", "Odd", None),
    ("test", "=Viewer", 15), ("test", "Admin", 90),
]  # fmt: skip


def write(folder: Path, *rows: dict[str, Any], **changes: Any) -> Path:
    """Write a workbook of items, each given by the facts in which it differs."""
    items = [FACTS | {"place": place} | row for place, row in enumerate(rows, start=1)]
    contents = {
        "campaign": "Q",
        "snapshot_id": "20260101T000000Z-0000",
        "reviewer": "r@example.com",
        "due_on": date(2026, 1, 31),
        "opened_at": datetime(2026, 1, 1, tzinfo=UTC),
        "names": list(FACTS),
        "rows": [list(item.values()) for item in items],
        "roles": ROLES,
        **changes,
    }
    path = folder / "packet.xlsx"
    packet_workbook.write(path, PacketContents(**contents))
    return path


def headings(sheet: Any) -> list[str]:
    return [str(cell.value) for cell in sheet[1]]


def column(sheet: Any, heading: str) -> int:
    return headings(sheet).index(heading) + 1


def cell(sheet: Any, heading: str, row: int = 2) -> Any:
    return sheet.cell(row, column(sheet, heading))


def test_it_opens_on_the_progress_and_counts_without_being_calculated(tmp_path: Path) -> None:
    decided = {"decision": "keep", "reason": "needed"}
    path = write(tmp_path, decided, {}, {"risk": "low"})

    shown = openpyxl.load_workbook(path, data_only=True)
    formulas = openpyxl.load_workbook(path)["Read me"]

    texts = {str(row[0].value): str(row[1].value) for row in shown["Read me"].iter_rows(max_col=2)}
    assert shown.active.title == "Read me"
    assert texts["Progress"] == "1 of 3 decided"
    assert texts["High risk"] == "1 of 2 decided"
    assert texts["Due"] == "31 Jan 2026"
    assert texts["What is asked"] == "Decide on 3 items of access, 2 of them high risk."
    [progress] = [row[1].value for row in formulas.iter_rows(max_col=2) if row[0].value == "Progress"]
    at = openpyxl.utils.get_column_letter(column(shown["Decisions"], "Decision"))
    assert progress == f'=FIXED(COUNTIF(Decisions!${at}$2:${at}$4,"?*"),0)&" of "&FIXED(3,0)&" decided"'


def test_the_first_screen_has_all_that_a_decision_needs(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(tmp_path, {}))["Decisions"]

    first = ["No.", "Person", "Access", "Last seen", "Why flagged", "Recommendation", "Decision", "Reason"]
    assert headings(sheet)[: len(first)] == first
    assert headings(sheet)[len(first) : len(first) + 4] == ["Target role", "Defer until", "Approver", "Expires on"]
    assert sheet.freeze_panes == "C2"
    # Pixels at 100 %: seven a character, five for the edges.
    widths = [sheet.column_dimensions[openpyxl.utils.get_column_letter(i + 1)].width for i in range(len(first))]
    assert sum(width * 7 + 5 for width in widths) < 1366 - 60
    assert cell(sheet, "Last seen").value == datetime(2025, 12, 1)  # noqa: DTZ001 - a day
    assert cell(sheet, "Recommendation").value == "no information"
    assert cell(sheet, "Last decision").value == "keep by bo@example.com on 1 Sep 2025"
    assert not any(dimension.outlineLevel for dimension in sheet.row_dimensions.values())


def test_the_rows_of_a_person_share_a_shade(tmp_path: Path) -> None:
    people = [{"card_id": card} for card in ("a", "a", "b", "c")]
    sheet = openpyxl.load_workbook(write(tmp_path, *people))["Decisions"]

    shades = [cell(sheet, "Person", row).fill.fgColor.rgb for row in range(2, 6)]
    assert shades[0] == shades[1] == shades[3] != shades[2]


def test_cells_offer_decisions_lower_roles_and_later_days(tmp_path: Path) -> None:
    lowest, unranked, group = {"access": "Viewer"}, {"access": "Odd"}, {"type": "group"}
    rows: list[dict[str, Any]] = [{}, {"source": "test"}, {"source": "none"}, {}, lowest, unranked, group]
    book = openpyxl.load_workbook(write(tmp_path, *rows))
    sheet = book["Decisions"]

    def rule(heading: str, row: int) -> Any:
        place = cell(sheet, heading, row).coordinate
        [found] = [each for each in sheet.data_validations.dataValidation if place in each.sqref]
        return found

    assert rule("Decision", 5).formula1 == '"keep,remove,reduce,defer,exception"'
    assert {rule("Decision", row).formula1 for row in (4, 6, 7, 8)} == {'"keep,remove,defer,exception"'}
    assert [rule("Target role", row).formula1 for row in range(2, 9)] == [
        "Lists!$A$2:$A$3", "Lists!$B$2:$B$2", None, "Lists!$A$2:$A$3", None, None, None,
    ]  # fmt: skip
    assert book["Lists"].sheet_state == "hidden"
    assert [cell.value for cell in book["Lists"]["A"]] == ["prod", "Viewer", "Designer", "Admin", "Odd"]
    assert (book["Lists"]["B2"].value, book["Lists"]["B2"].data_type) == ("=Viewer", "s")
    first = 46024  # 2 January 2026, the day after the opening, as a spreadsheet counts
    for heading, last in (("Defer until", first + 89), ("Expires on", first + 364)):
        found = rule(heading, 2)
        assert (found.type, found.formula1, found.formula2) == ("date", str(first), str(last))
        assert cell(sheet, heading).number_format == "yyyy-mm-dd"
    answers = ("Decision", "Reason", "Target role", "Defer until", "Approver", "Expires on")
    assert all(rule(heading, 2).prompt for heading in answers)


def test_due_answers_are_amber(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(tmp_path, {}))["Decisions"]

    amber = {
        str(places.sqref)
        for places, rules in sheet.conditional_formatting._cf_rules.items()
        for rule in rules
        if rule.dxf.fill is not None and rule.dxf.fill.bgColor.rgb == "FFFFC554"
    }
    due = ("Decision", "Reason", "Target role", "Defer until", "Approver", "Expires on")
    assert amber == {cell(sheet, heading).coordinate for heading in due}


@pytest.mark.parametrize(("name", "heading"), [("who", "Person"), ("reason", "Reason"), ("email", "E-mail")])
def test_a_text_like_a_formula_stays_a_text_even_edited_in_place(tmp_path: Path, name: str, heading: str) -> None:
    path = write(tmp_path, {name: "=HYPERLINK(1)"})

    found = cell(openpyxl.load_workbook(path)["Decisions"], heading)

    assert (found.value, found.data_type, found.quotePrefix) == ("=HYPERLINK(1)", "s", True)


def test_a_text_too_long_for_a_cell_says_that_it_was_cut(tmp_path: Path) -> None:
    text = cell(openpyxl.load_workbook(write(tmp_path, {"who": "x" * 40_000}))["Decisions"], "Person").value

    assert len(text) <= 32_767
    assert text.endswith("[cut]")


@pytest.mark.parametrize(("heading", "is_locked"), [("Person", True), ("Decision", False), ("Expires on", False)])
def test_facts_are_locked_and_answers_can_be_edited(tmp_path: Path, heading: str, is_locked: bool) -> None:
    assert cell(openpyxl.load_workbook(write(tmp_path, {}))["Decisions"], heading).protection.locked is is_locked


def test_the_same_contents_give_the_same_bytes_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    first = write(tmp_path, {}, {}).read_bytes()

    assert write(tmp_path, {}, {}).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["packet.xlsx"]
