"""A roster file that the current build has already is not read again, and results and warnings are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import inputs, load_settings
from pipeline.errors import RosterError
from pipeline.settings import Settings
from pipeline.simulator.server import Simulator
from pipeline.warehouse import database
from tests.e2e.conftest import run_command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("same-roster")
    with Simulator(20, 7) as simulator:
        simulator.write_files(folder)
        outcome = run_command(folder, "extract", ACCESS_REVIEW_PROD_PASSWORD=simulator.password)
    assert outcome.code == 0, outcome.stderr
    people = folder / "people.csv"
    header, *lines = people.read_text(encoding="utf-8").splitlines()
    people.write_text("\n".join([f"{header},cost_center", *(f"{line},7" for line in lines)]), encoding="utf-8")
    return folder


def warnings(folder: Path) -> list[str]:
    outcome = run_command(folder, "build")
    assert outcome.code == 0, outcome.stderr
    return [line for line in outcome.stderr.splitlines() if line.startswith("warning:")]


def is_read(settings: Settings) -> bool:
    with inputs.roster(settings) as roster:
        assert roster is not None
        return roster.people is not None


def people(folder: Path) -> list[tuple[str, ...]]:
    with database.reading(folder / "access-review.duckdb", notify=pytest.fail) as connection:
        return connection.execute("select * from policy.roster order by all").fetchall()


def edited(path: Path, edit: Callable[[str], str]) -> None:
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")


def test_the_same_file_is_read_once_and_its_warnings_stay(folder: Path) -> None:
    settings = load_settings(folder / "access-review.toml")
    first = warnings(folder)
    assert "warning: people.csv: columns that are not read: cost_center" in first
    before = people(folder)

    assert not is_read(settings)
    assert warnings(folder) == first
    assert people(folder) == before

    (folder / "people.csv").rename(folder / "staff.csv")
    edited(folder / "access-review.toml", lambda text: text.replace("people.csv", "staff.csv"))
    assert warnings(folder) == [line.replace("people.csv", "staff.csv") for line in first]
    (folder / "staff.csv").rename(folder / "people.csv")
    edited(folder / "access-review.toml", lambda text: text.replace("staff.csv", "people.csv"))


def test_other_bytes_and_another_format_are_read(folder: Path) -> None:
    settings = load_settings(folder / "access-review.toml")
    warnings(folder)
    assert settings.roster is not None
    other = replace(settings, roster=replace(settings.roster, columns={"title": "cost_center"}))
    assert is_read(other)
    edited(folder / "people.csv", lambda text: text + "\n")
    assert is_read(settings)
    edited(folder / "people.csv", lambda text: text + "nobody\n")

    outcome = run_command(folder, "build")

    assert outcome.code == 2
    assert "the roster has 1 mistake: line" in outcome.stderr
    edited(folder / "people.csv", lambda text: text.removesuffix("\nnobody\n"))


def test_a_file_that_changes_while_the_build_waits_stops_the_build(folder: Path) -> None:
    settings = load_settings(folder / "access-review.toml")
    warnings(folder)
    with inputs.roster(settings) as roster, database.in_memory() as elsewhere:
        assert roster is not None
        roster.copy_to(elsewhere)
        [(count,)] = elsewhere.execute("select count(*) from policy.roster").fetchall()
        assert count == len(people(folder))
        content = (folder / "people.csv").read_text(encoding="utf-8")
        edited(folder / "people.csv", lambda text: text + "\n\n")

        with pytest.raises(RosterError, match="changed during the build"):
            roster.copy_to(elsewhere)
        (folder / "people.csv").write_text(content, encoding="utf-8")
