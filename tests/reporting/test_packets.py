"""A reviewer's workbook: what somebody else typed in the source must not act, break or vanish in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from pipeline.reporting.packets import write_xlsx

NAMES = ("campaign", "reviewer", "attention", "who", "risk", "decision", "reason", "item_id")


@pytest.mark.parametrize("column", ["who", "reason"])
def test_a_text_like_a_formula_stays_a_text_even_edited_in_place(tmp_path: Path, column: str) -> None:
    cell = _cell(tmp_path, column, "=HYPERLINK(1)")

    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=HYPERLINK(1)", "s", True)


def test_a_text_that_no_cell_holds_says_that_it_was_cut(tmp_path: Path) -> None:
    text = _cell(tmp_path, "who", "x" * 40_000).value

    assert len(text) <= 32_767
    assert text.endswith("[cut]")


@pytest.mark.parametrize(("column", "is_locked"), [("who", True), ("decision", False), ("reason", False)])
def test_facts_are_locked_and_answers_are_free(tmp_path: Path, column: str, is_locked: bool) -> None:
    assert _cell(tmp_path, column, "keep").protection.locked is is_locked


def _cell(folder: Path, column: str, value: str) -> openpyxl.cell.Cell:
    row = [value if name == column else "1 high risk" if name == "attention" else "x" for name in NAMES]
    path = folder / "packet.xlsx"
    write_xlsx(
        path,
        names=NAMES,
        rows=[row],
        campaign="Q",
        reviewer="r@example.com",
        due_on=None,
        opened_at=datetime(2026, 1, 1),  # noqa: DTZ001 - UTC without a zone, as the database has it
    )
    return openpyxl.load_workbook(path)["Decisions"].cell(2, NAMES.index(column) + 1)
