"""The main job with a thousand to a million accounts: time and memory of each stage, as the program reports them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bench import curves, material
from bench.harness import Row, in_child
from bench.instance import serving
from bench.warehouse import fresh

SIZES = (1_000, 10_000, 100_000, 1_000_000)
#: Workbooks and HTML pages are left out: they are unusable with a million rows.
_FORMATS = {True: "csv,xlsx,html,pdf", False: "csv,pdf"}
_MOST_FOR_EVERY_FORMAT = 100_000
_STAGES = {"extract prod": "pull", "land": "land", "build": "build", "report": "report"}
PICTURE = Path(__file__).with_name("scale.svg")


def run(quick: bool, folder: Path) -> list[Row]:
    sizes = SIZES[:1] if quick else SIZES
    costs = [_whole(folder, accounts) for accounts in sizes]
    if not quick:
        PICTURE.write_text(_drawn(sizes, costs), encoding="utf-8")
    rows = []
    for accounts, cost in zip(sizes, costs, strict=True):
        formats = _FORMATS[accounts <= _MOST_FOR_EVERY_FORMAT]
        budget = ", ".join(f"{name} {cost['seconds'][stage]:.1f} s" for stage, name in _STAGES.items())
        total = sum(cost["seconds"].values())
        what = f"API to reports ({formats}), {accounts:,} accounts"
        rows.append(Row(f"{what}: time", "the clock", [total], "s", None, budget))
        limit = 4_000 if accounts == SIZES[-1] else None
        grown = ", ".join(f"{name} {cost['peaks'][stage]:.0f} MB" for stage, name in _STAGES.items())
        rows.append(Row(f"{what}: peak memory", "4 GB", [cost["peak"]], "MB", limit, f"by the end of {grown}"))
    return rows


def _whole(folder: Path, accounts: int) -> dict[str, dict[str, float] | float]:
    work = fresh(folder / "scale")
    with serving(accounts) as server:
        material.configure(work, accounts, server.url)
        done = in_child("whole", str(work), server.token, _FORMATS[accounts <= _MOST_FOR_EVERY_FORMAT])
    shutil.rmtree(work)
    stages = done["stages"]
    return {
        "seconds": {stage["stage"]: stage["seconds"] for stage in stages},
        "peaks": {stage["stage"]: stage["peak_memory_mb"] for stage in stages},
        "peak": done["peak_mb"],
    }


def _drawn(sizes: Sequence[int], costs: Sequence[dict]) -> str:
    seconds = {name: [cost["seconds"][stage] for cost in costs] for stage, name in _STAGES.items()}
    peaks = {name: [cost["peaks"][stage] for cost in costs] for stage, name in _STAGES.items()}
    return curves.draw(sizes, [("seconds", seconds), ("peak memory by the end of the stage, MB", peaks)])
