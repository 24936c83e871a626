"""A file or folder is replaced as a whole: an interruption leaves the old content and nothing beside it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.atomic import replace_file, replace_folder


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError, RuntimeError])
def test_an_interrupted_file_leaves_the_old_one_alone(tmp_path: Path, interruption: type[BaseException]) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")

    def write() -> None:
        with replace_file(path) as draft:
            draft.write_text("ne")
            raise interruption

    with pytest.raises(interruption):
        write()

    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["plan.json"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError, RuntimeError])
def test_an_interrupted_folder_leaves_the_old_one_alone(tmp_path: Path, interruption: type[BaseException]) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "population.csv").write_text("old")

    def write() -> None:
        with replace_folder(folder) as draft:
            (draft / "population.csv").write_text("ne")
            raise interruption

    with pytest.raises(interruption):
        write()

    assert names_in(tmp_path) == ["report"]
    assert (folder / "population.csv").read_text() == "old"


def test_the_old_content_is_there_until_the_new_is_complete(tmp_path: Path) -> None:
    path, folder = tmp_path / "plan.json", tmp_path / "report"
    path.write_text("old")
    folder.mkdir()
    (folder / "old.csv").write_text("old")

    with replace_file(path) as draft_file, replace_folder(folder) as draft:
        draft_file.write_text("new")
        (draft / "new.csv").write_text("new")
        assert path.read_text() == "old"
        assert names_in(folder) == ["old.csv"]

    assert path.read_text() == "new"
    assert names_in(folder) == ["new.csv"]
    assert names_in(tmp_path) == ["plan.json", "report"]


_KILLED = """
import os, pathlib, signal, sys
from pipeline import atomic
directory = pathlib.Path(sys.argv[1])
with atomic.replace_folder(directory / "report") as draft, atomic.replace_file(directory / "plan.json") as file:
    file.write_text("ne")
    (draft / "population.csv").write_text("ne")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_the_old_content_and_the_next_one_removes_its_drafts(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "population.csv").write_text("old")
    (tmp_path / "plan.json").write_text("old")

    killed = subprocess.run([sys.executable, "-c", _KILLED, tmp_path], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "report" / "population.csv").read_text() == "old"
    assert (tmp_path / "plan.json").read_text() == "old"
    with replace_folder(tmp_path / "other") as draft, replace_file(tmp_path / "plan.json") as file:
        (draft / "population.csv").write_text("new")
        file.write_text("new")
    assert names_in(tmp_path) == ["other", "plan.json", "report"]


def test_a_link_stays_a_link_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "plan.json").write_text("old")
    (tmp_path / "plan.json").symlink_to(tmp_path / "real" / "plan.json")

    with replace_file(tmp_path / "plan.json") as draft:
        draft.write_text("new")

    assert (tmp_path / "plan.json").is_symlink()
    assert (tmp_path / "real" / "plan.json").read_text() == "new"


def test_a_device_is_written_to_and_stays_a_device(tmp_path: Path) -> None:
    with replace_file(Path("/dev/null")) as draft:
        draft.write_text("new")

    assert Path("/dev/null").is_char_device()
    assert names_in(tmp_path) == []


def test_the_permissions_of_a_replaced_file_stay(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").touch(mode=0o640)

    with replace_file(tmp_path / "rows.csv") as draft:
        draft.write_text("new")

    assert (tmp_path / "rows.csv").stat().st_mode & 0o777 == 0o640


def test_a_private_file_is_private_from_the_start(tmp_path: Path) -> None:
    with replace_file(tmp_path / "plan.json", mode=0o600) as draft:
        assert draft.stat().st_mode & 0o777 == 0o600

    assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o600
