"""A report that cannot be written gives one clear error, keeps the old report and leaves nothing beside it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import resources
from pipeline.errors import RenderError
from pipeline.reporting import report

FOLDER = "20261031T235800Z-4f2a"

#: Writes reports with no file larger than a limit, which is what a full disk is to every writer.
_ON_A_SMALL_DISK = """
import json, pathlib, resource, runpy, sys
import duckdb
from pipeline.errors import RenderError
from pipeline.reporting import report
fill = runpy.run_path(sys.argv[1])['fill']
connections = {}
for accounts, limit, formats in json.loads(sys.argv[3]):
    if accounts not in connections:
        connections[accounts] = duckdb.connect()
        fill(connections[accounts], accounts=accounts)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        options = report.ReportOptions(annex='annex' in formats, cores=1)
        report.write(
            connections[accounts], pathlib.Path(sys.argv[2]), frozenset(formats) - {'annex'}, lambda _: None, options
        )
    except RenderError as error:
        print(error.exit_code, error, '|', error.hint)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
"""
#: The file that does not fit; the accounts, the limit in bytes and the formats with which it does not.
_TOO_LARGE = (
    ("population.csv", (600, 50_000, ["csv"])),
    ("xlsx", (600, 300_000, ["xlsx"])),
    ("access-review.html", (40, 90_000, ["html"])),
    ("access-review.pdf", (40, 90_000, ["pdf"])),
    ("access-review-annex.pdf", (40, 90_000, ["csv", "annex"])),
)


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path):
    program = [sys.executable, "-c", _ON_A_SMALL_DISK, Path(__file__).with_name("conftest.py"), tmp_path / "out"]
    given = json.dumps([given for _, given in _TOO_LARGE])

    ran = subprocess.run([*program, given], capture_output=True, text=True, check=True)

    for (file, _), line in zip(_TOO_LARGE, ran.stdout.splitlines(), strict=True):
        assert line.startswith("5 "), line
        assert file in line
        assert "disk" in line.partition("|")[2]
    assert "Traceback" not in ran.stderr
    assert names_in(tmp_path / "out") == []


def test_a_read_only_folder_is_a_clear_error(database, tmp_path):
    if os.geteuid() == 0:
        place = Path("/proc/access-review")  # where not even root may write
    else:
        place = tmp_path / "closed"
        place.mkdir(mode=0o500)

    with pytest.raises(RenderError) as caught:
        report.write(database(), place, frozenset({"csv"}), lambda _: None)

    assert caught.value.exit_code == 5
    assert "--out" in caught.value.hint


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("{% if %}", "Expected an expression"),
        ("{{ view.nothing }}", "has no attribute 'nothing'"),
        ('<img src="http://127.0.0.1:1/x.png">', "not one of its own files"),
    ],
)
@pytest.mark.parametrize(("template", "form"), [("evidence/scope.html", "pdf"), ("annex.html", "csv")])
def test_a_wrong_template_is_an_error_that_names_it(
    database, tmp_path, monkeypatch, template: str, form: str, broken: str, said: str
):
    templates = shutil.copytree(resources.templates(), tmp_path / "templates")
    (templates / template).write_text(broken)
    monkeypatch.setattr(resources, "templates", lambda: templates)

    with pytest.raises(RenderError, match=said) as caught:
        report.write(
            database(), tmp_path / "out", frozenset({form}), lambda _: None, report.ReportOptions(annex=True, cores=1)
        )

    assert caught.value.exit_code == 5
    assert str(templates) in caught.value.where
    assert names_in(tmp_path / "out") == []


# ------------------------------------------------------------------------------------------------ killed processes

_KILLED = """
import os, pathlib, runpy, signal, sys
import duckdb
from pipeline.reporting import report
connection = duckdb.connect()
runpy.run_path(sys.argv[1])['fill'](connection)
def die(name):
    if name == 'findings.csv':
        os.kill(os.getpid(), signal.SIGKILL)
report.write(connection, pathlib.Path(sys.argv[2]), frozenset({'csv'}), die)
"""


def test_the_next_report_removes_the_draft_of_a_killed_process(database, tmp_path):
    program = [sys.executable, "-c", _KILLED, Path(__file__).with_name("conftest.py"), tmp_path]
    killed = subprocess.run(program, check=False)
    left = names_in(tmp_path)

    report.write(database(), tmp_path, frozenset({"csv"}), lambda _: None)

    assert killed.returncode == -signal.SIGKILL
    assert len(left) == 1
    assert left[0].endswith(".partial")
    assert names_in(tmp_path) == [FOLDER]


def test_a_report_that_a_killed_process_was_replacing_is_restored(database, tmp_path):
    (tmp_path / ".older.123456.former").mkdir()
    (tmp_path / ".older.123456.former" / "population.csv").write_text("the only report there is")
    (tmp_path / ".older.123456.partial").mkdir()

    report.write(database(), tmp_path, frozenset({"csv"}), lambda _: None)

    assert names_in(tmp_path) == [FOLDER, "older"]
    assert (tmp_path / "older" / "population.csv").read_text() == "the only report there is"


def test_the_draft_of_a_running_process_stays(database, tmp_path):
    other = tmp_path / f".other.{os.getppid()}.partial"
    other.mkdir()
    handle = os.open(other, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        report.write(database(), tmp_path, frozenset({"csv"}), lambda _: None)
    finally:
        os.close(handle)

    assert names_in(tmp_path) == sorted([other.name, FOLDER])


@pytest.mark.parametrize("name", [".notes.partial", ".x.abc.partial"])
def test_other_folders_with_similar_names_stay(database, tmp_path, name: str):
    (tmp_path / name).mkdir()

    report.write(database(), tmp_path, frozenset({"csv"}), lambda _: None)

    assert name in names_in(tmp_path)
