"""The PDF annex with the whole population, compared with the same rows as one plain WeasyPrint table."""

from __future__ import annotations

from pathlib import Path

from bench import material
from bench.harness import Row, in_child, in_child_with_its_own, times
from bench.warehouse import fresh


def run(quick: bool, folder: Path) -> list[Row]:
    few, many = (500, 2_000) if quick else (1_000, 20_000)
    small, large = built(folder, few), built(folder, many)
    # Alternating rounds; the peer runs once, as it takes minutes.
    rounds = 1 if quick else 2
    ours = []
    short = []
    for _ in range(rounds):
        short.append(in_child("annex", str(small)))
        ours.append(in_child_with_its_own("annex", str(large)))
    plain = in_child_with_its_own("plain_table", str(large))
    speed = [each["seconds"] / plain["seconds"] for each in ours]
    memory = [each["tree_mb"] / plain["tree_mb"] for each in ours]
    a_row = [(a["seconds"] / many) / (b["seconds"] / few) for a, b in zip(ours, short, strict=True)]
    shown = times([each["seconds"] for each in ours])
    return [
        Row(
            f"annex, {many:,} accounts: time",
            "the clock",
            [each["seconds"] for each in ours],
            "s",
            None if quick else 15,
            "all processes, their start too",
        ),
        Row(
            f"annex, {many:,} accounts: time of ours over the plain table",
            "WeasyPrint, one table of the same rows",
            speed,
            "x",
            None if quick else 1 / 4,  # with so few rows, starting two processes takes longer than it saves
            f"{shown} against {plain['seconds']:.0f} s, {many / plain['seconds']:.0f} rows/s;"
            " all processes, their start too",
        ),
        Row(
            f"annex, {many:,} accounts: peak memory of all its processes",
            "the same table",
            memory,
            "x",
            None if quick else 1 / 8,
            f"{max(each['tree_mb'] for each in ours):.0f} MB against {plain['tree_mb']:.0f} MB",
        ),
        Row(
            f"annex: time a row at {many:,} over {few:,}",
            "itself",
            a_row,
            "x",
            None if quick else 1.1,
            f"{times([each['seconds'] for each in short])} for {few:,}",
        ),
    ]


def built(folder: Path, accounts: int) -> Path:
    """Return a folder whose database holds a build of this size."""
    work = folder / f"annex-{accounts}"
    if not (work / "bench.duckdb").exists():
        pages = folder / f"annex-pages-{accounts}"
        pages.mkdir()
        material.configure(fresh(work), accounts)
        in_child("land", str(work), str(material.spooled(pages, accounts)))
        in_child("build", str(work))
    return work
