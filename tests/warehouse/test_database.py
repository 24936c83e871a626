"""Opening the database: whoever holds it is named, and a stranger's query can only read."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import DatabaseLockedError, QueryError, WarehouseError
from pipeline.warehouse import adhoc, database
from tests.machine import full_disk, killed_after


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "locks and [brackets]" / "access-review.duckdb"
    path.parent.mkdir()
    with database.writing(path, notify=pytest.fail):
        pass
    return path


@pytest.fixture
def holder(path: Path) -> Iterator[int]:
    """Hold the database in another process; give that process's id."""
    program = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


@pytest.mark.parametrize("opens", [database.writing, database.reading])
def test_a_wait_for_the_database_names_its_holder_and_so_does_the_error(
    path: Path, holder: int, opens: object
) -> None:
    told: list[str] = []

    with pytest.raises(DatabaseLockedError) as caught, opens(path, notify=told.append, wait=0.3):  # type: ignore[operator]
        pytest.fail("it was opened")

    assert f"process {holder}" in caught.value.message
    assert caught.value.exit_code == 4
    assert len(told) == 1
    assert f"process {holder}" in told[0]


def test_two_readers_do_not_hinder_each_other(path: Path) -> None:
    program = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1], read_only=True); print('held', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        with database.reading(path, notify=pytest.fail, wait=0) as connection:
            assert connection.execute("select count(*) from meta.snapshots").fetchall() == [(0,)]
        process.communicate()


def foreign(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table mine (a integer)")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "there is no database yet"),
        (lambda path: path.write_text("hello " * 5000), "not a valid DuckDB database"),
        (lambda path: path.touch(), "not a valid DuckDB database"),
        (Path.mkdir, "directory"),
        (foreign, "not a database of this program"),
    ],
    ids=["missing", "text", "empty", "folder", "another program's"],
)
def test_a_file_that_is_not_our_database_is_reported_at_once(tmp_path: Path, make: object, says: str) -> None:
    path = tmp_path / "padlock.duckdb"
    make(path)  # type: ignore[operator]

    with (
        pytest.raises(WarehouseError, match=says) as caught,
        database.reading(path, notify=pytest.fail, wait=60),
    ):
        pytest.fail("it was opened")

    assert caught.value.where == str(path)
    assert not isinstance(caught.value, DatabaseLockedError)


def test_a_folder_that_does_not_exist_is_not_a_lock(tmp_path: Path) -> None:
    with (
        pytest.raises(WarehouseError, match="No such file"),
        database.writing(tmp_path / "locked" / "x.duckdb", notify=pytest.fail, wait=60),
    ):
        pytest.fail("it was opened")


def test_opening_again_keeps_what_is_there(path: Path) -> None:
    with database.writing(path, notify=pytest.fail) as connection:
        connection.execute("insert into policy.email_domains values ('x.test')")

    with database.writing(path, notify=pytest.fail) as connection:
        assert connection.execute("select * from policy.email_domains").fetchall() == [("x.test",)]


def asked(path: Path, query: str, **values: str) -> tuple[list[str], list[tuple[object, ...]]]:
    with database.sandbox(path, notify=pytest.fail) as connection:
        return adhoc.run(connection, query, values)


def test_a_query_returns_its_header_and_rows(path: Path) -> None:
    assert asked(path, "select $a as a, 2 as b -- why", a="x'; drop table t") == (
        ["a", "b"],
        [("x'; drop table t", 2)],
    )
    assert asked(path, "describe meta.builds")[1][0][0] == "build_id"


@pytest.mark.parametrize(
    "query",
    [
        "insert into policy.email_domains values ('x')", "delete from meta.pages", "drop table meta.pages",
        "create table t (a integer)", "create temp table t (a integer)", "create view v as select 1",
        "update meta.pages set page = 1", "attach ':memory:' as other", "attach '{folder}/new.duckdb' as other",
        "detach x", "use meta",
        "copy meta.pages to '{folder}/stolen.csv'", "copy (select 1) to '{folder}/stolen.csv'",
        "export database '{folder}/stolen'", "select * from read_csv('{folder}/secret.csv')",
        "select * from '{folder}/secret.csv'", "select * from read_text('{folder}/secret.csv')",
        "select * from read_blob('{folder}/*')", "select * from glob('{folder}/*')",
        "select * from sniff_csv('{folder}/secret.csv')", "select * from read_json('{folder}/secret.csv')",
        "select * from read_parquet('https://127.0.0.1:9/x.parquet')", "install httpfs", "load httpfs",
        "set enable_external_access = true", "reset enable_external_access", "set threads = 1", "set variable a = 1",
        "set lock_configuration = false", "pragma database_list", "pragma enable_profiling", "call pragma_version()",
        "checkpoint", "begin", "prepare p as select 1", "create secret s (type s3)", "create macro f() as 1",
        "select getenv('HOME')",
    ],
)  # fmt: skip
def test_a_query_can_only_read(path: Path, query: str) -> None:
    (path.parent / "secret.csv").write_text("canary\n1\n")
    before = (path.read_bytes(), sorted(path.parent.iterdir()))

    with pytest.raises(QueryError) as caught:
        asked(path, query.format(folder=path.parent))

    assert "canary" not in str(caught.value)
    assert (path.read_bytes(), sorted(path.parent.iterdir())) == before


@pytest.mark.parametrize(
    ("query", "values", "says", "hint"),
    [
        ("select 1; select 2", {}, "there are 2 statements", "one select"),
        ("", {}, "the query is empty", "one select"),
        ("-- nothing", {}, "the query is empty", "one select"),
        ("select * from meta.snapshotz", {}, "snapshotz", "did you mean meta.snapshots?"),
        ("select * from pages", {}, "pages", "did you mean meta.pages?"),
        ("select * from zzzzzzzzz", {}, "zzzzzzzzz", "duckdb_tables()"),
        ("select snapshotid from meta.snapshots", {}, "snapshotid", '"snapshot_id"'),
        ("select $a", {}, "a", "--param"),
        ("select $a", {"a": "1", "b": "2"}, "b", "--param"),
        ("select 1", {"a": "1"}, "a", "--param"),
        ("selec 1", {}, "syntax error", "correct the query"),
        ("select * from read_csv('/etc/hostname')", {}, "disabled", "only reads"),
    ],
)
def test_an_error_in_a_query_is_explained(
    path: Path, query: str, values: dict[str, str], says: str, hint: str
) -> None:
    with pytest.raises(QueryError) as caught:
        asked(path, query, **values)

    assert says in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 4


def test_a_query_cannot_read_a_python_variable_as_a_table(path: Path) -> None:
    with pytest.raises(QueryError, match="values"):
        asked(path, 'select * from "values"')


@pytest.mark.parametrize("attempt", range(12))  # the signal may come between two calls, too; hardly every time
def test_an_interrupted_query_is_not_reported_as_a_bug(attempt: int) -> None:
    is_busy = threading.Event()
    interrupter = threading.Thread(target=lambda: is_busy.wait() and os.kill(os.getpid(), signal.SIGINT))
    interrupter.start()

    def work() -> None:
        with database.in_memory() as connection:
            is_busy.set()
            for _ in range(10_000):  # far longer than a signal takes, and not for ever
                connection.execute("create or replace temp table t as select 1 as one;" * 200)

    with pytest.raises(KeyboardInterrupt):
        work()

    interrupter.join()


def test_a_full_disk_is_a_database_error(path: Path) -> None:
    big = "create table meta.big as select sha256(range::varchar) as text from range(2000000)"
    with (
        full_disk(1_000_000),
        pytest.raises(WarehouseError) as caught,
        database.writing(path, notify=pytest.fail) as connection,
    ):
        connection.execute(big)

    assert caught.value.exit_code == 4
    assert "disk" in caught.value.hint
    with database.reading(path, notify=pytest.fail) as connection:
        assert connection.execute("select count(*) from meta.snapshots").fetchall() == [(0,)]


@pytest.mark.parametrize("is_killed", [False, True], ids=["all in the file", "after a killed process"])
@pytest.mark.parametrize("statement", [None, "drop table meta.tables_sql"], ids=["a change", "an upgrade"])
def test_a_commit_that_finds_the_disk_full_is_a_database_error(
    path: Path, statement: str | None, is_killed: bool
) -> None:
    if is_killed:
        killed_after(path, "insert into policy.email_domains values ('committed.test')")
    if statement:
        killed_after(path, statement)
    with (
        full_disk(),
        pytest.raises(WarehouseError, match="the database cannot be written: File too large") as caught,
        database.writing(path, notify=pytest.fail) as connection,
        database.transaction(connection),
    ):
        connection.execute("insert into policy.email_domains values ('lost.test')")

    assert caught.value.exit_code == 4
    assert "free some space" in caught.value.hint
    with database.writing(path, notify=pytest.fail) as connection:
        rows = connection.execute("select email_domain from policy.email_domains order by all").fetchall()
    assert rows == [("committed.test",)] * is_killed
