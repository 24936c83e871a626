"""Reports of a build: all formats together, with all their processes, and the workbook beside other writers."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import annex, commands
from bench.harness import Row, in_child, in_child_with_its_own, ratios, times

#: Accounts -> the seconds and the MB of all processes together that a report of them may take.
_LIMITS = {20_000: (15, 600), 100_000: (45, 1_500)}
_WORKBOOK_SECONDS = 6
FORMATS = "csv,xlsx,html,pdf"


def run(quick: bool, folder: Path) -> list[Row]:
    rows = commands.demo(quick, folder)
    for accounts, limits in {2_000: (None, None)}.items() if quick else _LIMITS.items():
        rows += _report(annex.built(folder, accounts), accounts, limits)
    rows += _workbook(annex.built(folder, 2_000 if quick else 20_000), quick)
    return rows + annex.run(quick, folder)


def _report(work: Path, accounts: int, limits: tuple[float | None, float | None]) -> list[Row]:
    """Write every format with all cores, and with one core beside it."""
    together, alone = [], []
    for _ in range(3 if accounts < 100_000 else 1):
        together.append(in_child_with_its_own("report", str(work), FORMATS, "0"))
        alone.append(in_child_with_its_own("report", str(work), FORMATS, "1"))
    shutil.rmtree(work / "out")
    seconds, single = [each["seconds"] for each in together], [each["seconds"] for each in alone]
    memory = [each["tree_mb"] for each in together]
    what = f"report of {accounts:,} accounts ({FORMATS})"
    return [
        Row(f"{what}: time", "the clock", seconds, "s", limits[0]),
        Row(
            f"{what}: time",
            "the same in one process",
            ratios(seconds, single),
            "x",
            None,
            f"{times(seconds)} against {times(single)}",
        ),
        Row(
            f"{what}: peak memory of all processes together",
            f"in one process, {max(each['tree_mb'] for each in alone):.0f} MB",
            memory,
            "MB",
            limits[1],
        ),
    ]


def _workbook(work: Path, quick: bool) -> list[Row]:
    """Write the workbook as the program does, and the same cells with other writers."""
    jobs = ("workbook", "workbook_xlsxwriter", "workbook_rustpy")
    done = {job: [in_child(job, str(work)) for _ in range(1 if quick else 3)] for job in jobs}
    ours, theirs, rust = ([each["seconds"] for each in done[job]] for job in jobs)
    cells = done["workbook_xlsxwriter"][0]["cells"]
    return [
        Row(
            f"the workbook, {cells:,} cells: time",
            "the clock",
            ours,
            "s",
            None if quick else _WORKBOOK_SECONDS,
            f"{max(each['peak_mb'] for each in done['workbook']):.0f} MB",
        ),
        Row(
            f"the workbook, {cells:,} cells",
            "the same cells by xlsxwriter, one by one and without widths or colours",
            ratios(ours, theirs),
            "x",
            None,
            f"{times(ours)} against {times(theirs)}",
        ),
        Row(
            f"the workbook, {cells:,} cells",
            "the same cells by rustpy-xlsxwriter, from data frames",
            ratios(ours, rust),
            "x",
            None,
            f"{times(ours)} against {times(rust)}; it sets no widths, no pages and no texts that stay texts",
        ),
    ]
