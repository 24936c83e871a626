"""Secrets of the settings, values of row rules and the key of their hashes are in nothing that the program writes.

One extract with every word printed, its report, and a review with packets (two of them PDF) and a page are searched.
"""

from __future__ import annotations

import io
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.simulator.objects import ROW_VALUE_MARKS, SETTINGS_SECRET
from pipeline.simulator.server import Simulator
from tests.e2e.conftest import Outcome, run_command
from tests.e2e.serving import ServedReview, free_port
from tests.e2e.test_evidence import assert_refused, change_rows
from tests.fakes.forger import reseal

ROW_KEY = "access-review.duckdb.row-key"
#: A number may also be a part of a hash, so it counts where a number could begin.
CANARIES = [re.compile(rb"(?<![0-9a-f])" + re.escape(mark.encode())) for mark in (*ROW_VALUE_MARKS, SETTINGS_SECRET)]
#: A stream of a PDF.
STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of everything that was written, and everything that was printed."""
    folder = tmp_path_factory.mktemp("secrets")
    printed: list[Outcome] = []
    with Simulator(60, 7) as simulator:
        simulator.write_files(folder)
        secret = {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password}
        loud = ("--debug", "--verbose")
        printed.append(run_command(folder, *loud, "check", **secret))
        printed.append(run_command(folder, *loud, "run", "--format", "csv,xlsx,html", **secret))
    reviewers = ("--reviewer", "ciso@example.com", "--reviewer", "it@example.com")
    opening = ("review", "open", "--name", "Q4", "--scope", "privileged", "--due", "2099-12-31", *reviewers)
    commands = (opening, ("review", "packets"), ("--json", "snapshots", "show"))
    printed += [run_command(folder, *loud, *arguments) for arguments in commands]
    with ServedReview(folder, free_port()):
        pass  # the page makes the file of the campaign
    assert [outcome.code for outcome in printed] == [0] * len(printed), printed[-1].stderr
    return folder, "".join(outcome.stdout + outcome.stderr for outcome in printed)


def contents(name: str, content: bytes, folder: Path) -> Iterator[bytes]:
    """Yield a file and all that is packed into it: parts of a workbook, streams of a PDF, rows of tables."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.namelist():
                yield from contents(part, archive.read(part), folder)
    elif content.startswith(b"%PDF"):
        for stream in STREAM.findall(content):
            unpacked = zlib.decompressobj()
            try:
                yield unpacked.decompress(stream)
            except zlib.error:
                continue
    elif name.endswith((".parquet", ".duckdb")):
        yield from rows(name, content, folder)


def rows(name: str, content: bytes, folder: Path) -> Iterator[bytes]:
    copy = folder / f"copy{Path(name).suffix}"
    copy.write_bytes(content)
    with duckdb.connect() as connection:
        if name.endswith(".parquet"):
            yield str(connection.execute(f"select * from '{copy}'").fetchall()).encode()
            return
        connection.execute(f"attach '{copy}' as written (read_only)")
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'written'"
        ).fetchall()
        for (table,) in tables:
            yield str(connection.execute(f"select * from written.{table}").fetchall()).encode()


def test_no_secret_value_or_key_is_written_or_printed(written: tuple[Path, str], tmp_path: Path) -> None:
    folder, printed = written
    key = (folder / ROW_KEY).read_bytes().strip()
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ROW_KEY]
    kinds = {path.suffix for path in files}

    assert (folder / ROW_KEY).stat().st_mode & 0o777 == 0o600
    assert {".duckdb", ".parquet", ".csv", ".xlsx", ".html", ".pdf", ".json", ".sqlite"} <= kinds
    parts = 0
    for path in files:
        for part in contents(path.name, path.read_bytes(), tmp_path):
            parts += 1
            assert key not in part, path
            assert not [canary.pattern for canary in CANARIES if canary.search(part)], path
    assert parts > 2 * len(files)
    assert not [canary.pattern for canary in CANARIES if canary.search(printed.encode())]
    assert key.decode() not in printed


def test_what_is_searched_holds_the_rules_of_the_canaries(written: tuple[Path, str]) -> None:
    folder, _ = written
    with duckdb.connect(str(folder / "access-review.duckdb"), read_only=True) as connection:
        rules, settings = connection.execute(
            "select (select count(*) from raw.row_rules where (payload ->> '$.valueCount')::int > 0),"
            " (select count(*) from raw.posture where payload ->> '$.setting' = 'sso')"
        ).fetchall()[0]

    assert rules > 0
    assert settings == 1


@pytest.mark.parametrize("table", ["dashboards", "models"])
def test_a_rebuild_uses_the_objects_and_detects_one_that_was_removed(
    written: tuple[Path, str], tmp_path: Path, table: str
) -> None:
    [report] = (path.parent for path in written[0].rglob("manifest.json"))
    copy = shutil.copytree(report, tmp_path / report.name)
    change_rows(copy / "raw" / f"{table}.parquet", "select * from kept where (page, ordinal) <> (1, 1)")
    reseal(copy)

    assert_refused(run_command(tmp_path, "verify", copy.name, "--rebuild"), "reach.csv")
