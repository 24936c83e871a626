"""What a newcomer types wrongly: streams that take nothing, bytes that are no text, numbers too large."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError, UsageError
from pipeline.remediation.joiners import read_joiners
from pipeline.settings import read_secret
from pipeline.tables.cells import TableError
from pipeline.tables.delimited import decode
from pipeline.warehouse.policy import _rank
from tests.cases.case import Case, each

ROOT = Path(__file__).parents[2]


def shell(folder: Path, arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m pipeline {arguments}', sys.executable],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


STREAMS = [
    Case("stderr", "a full disk", "the error's own exit code", "build --config none.toml 2>/dev/full"),
    Case("stderr", "closed", "the error's own exit code", "build --config none.toml 2>&-"),
    Case("stderr", "closed, with all others", "the error's own exit code", "build --config none.toml <&- >&- 2>&-"),
]


@each(STREAMS)
def test_a_closed_stderr_does_not_change_the_outcome(case: Case, tmp_path: Path) -> None:
    assert shell(tmp_path, case.content).returncode == 2


def test_init_creates_the_folder(tmp_path: Path) -> None:
    assert shell(tmp_path, "init new/team").returncode == 0
    assert shell(tmp_path, "init mine.toml").returncode == 0

    assert (tmp_path / "new" / "team" / "access-review.toml").is_file()
    assert (tmp_path / "new" / "team" / "policy").is_dir()
    assert (tmp_path / "mine.toml").is_file()


def test_a_result_is_complete_even_if_its_messages_cannot_be_written(tmp_path: Path) -> None:
    done = shell(tmp_path, "init new 2>/dev/full")

    assert done.returncode == 0
    assert (tmp_path / "new" / "access-review.toml").is_file()


ARGUMENTS = [
    Case("bytes", "in a query", "argument 2", "sql \"$(printf 'select \\377')\""),
    Case("bytes", "in a name", "argument 4", "review open --name \"$(printf 'Q\\344')\""),
    Case("number", "more days than a calendar has", "stale-days", "remediate plan --stale-days 99999999999"),
    Case("number", "more days to keep", "keep-days", "snapshots prune --keep-days 99999999999"),
    Case("number", "more hours", "max-age-hours", "remediate plan --stale-days 9 --max-age-hours 99999999999"),
    Case("number", "hours that are no number", "max-age-hours", "remediate plan --stale-days 9 --max-age-hours nan"),
]


@each(ARGUMENTS)
def test_an_unusable_argument_is_a_usage_error(case: Case, tmp_path: Path) -> None:
    done = shell(tmp_path, case.content)

    assert done.returncode == 2, done.stderr
    assert case.outcome.encode() in done.stderr


def test_a_secret_in_another_encoding_is_named_but_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_secret({"ACCESS_REVIEW_PROD_PASSWORD": "canary\udce4"}, "ACCESS_REVIEW_PROD_PASSWORD")

    assert "ACCESS_REVIEW_PROD_PASSWORD" in caught.value.message
    assert "canary" not in f"{caught.value} {caught.value.hint}"


JOINERS = [
    Case("joiners", "an address twice", "line 2", "email\na@x.test\na@x.test\n"),
    Case("joiners", "an address in other capitals", "line 2", "email\na@x.test\nA@X.test\n"),
    Case("joiners", "a user name twice", "line 2", "user_name,email\nann,a@x.test\nANN,b@x.test\n"),
    Case("joiners", "an address that is another's user name", "line 2", "user_name,email\n,a@x.test\nann,A@x.test\n"),
]


@each(JOINERS)
def test_a_joiner_listed_twice_is_refused(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "joiners.csv"
    path.write_text(case.content)

    with pytest.raises(UsageError) as caught:
        read_joiners(path)

    assert case.outcome in caught.value.message
    assert "line 3" in caught.value.where


def test_a_stray_nul_is_reported_with_its_line() -> None:
    with pytest.raises(TableError, match="line 3 has a NUL character"):
        decode(b"email,display_name\na@example.com,Ann Ek\nb@example.com,Bo\0Dahl\n")


@pytest.mark.parametrize("cell", ["high", "10.5", "-1", "101", "9" * 9000, "²"])
def test_an_invalid_rank_is_an_error_without_python_terms(cell: str) -> None:
    with pytest.raises(ValueError, match=r"^write a whole number from 0 to 100$"):
        _rank(cell)
