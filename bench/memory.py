"""Peak memory of an extract, separately for pulling and landing: it must not grow with the number of accounts."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import material
from bench.harness import Row, in_child
from bench.instance import serving


def run(quick: bool, folder: Path) -> list[Row]:
    few, many = (10_000, 50_000) if quick else (10_000, 200_000)
    pulled: dict[int, list[float]] = {few: [], many: []}
    landed: dict[int, list[float]] = {few: [], many: []}
    with serving(few) as small, serving(many) as large:
        for turn in range(1 if quick else 3):
            for server in (small, large):
                work = folder / f"memory-{turn}-{server.accounts}"
                work.mkdir()
                material.configure(work, server.accounts)
                spool = str(work / "spool")
                done = in_child("pull", spool, str(server.port), str(server.accounts), "4")
                pulled[server.accounts].append(done["peak_mb"])
                landed[server.accounts].append(in_child("land", str(work), spool)["peak_mb"])
                shutil.rmtree(work)
    return [_row("pull", few, many, pulled), _row("land", few, many, landed)]


def _row(work: str, few: int, many: int, peaks: dict[int, list[float]]) -> Row:
    growth = [large - small for small, large in zip(peaks[few], peaks[many], strict=True)]
    return Row(
        f"{work}: peak memory at {many:,} accounts over that at {few:,}",
        "the smaller one",
        growth,
        "MB",
        50,
        f"{max(peaks[few]):.0f} MB and {max(peaks[many]):.0f} MB at most",
    )
