"""A path names one file, whatever characters are in it: a twin that a pattern would find is never read."""

from __future__ import annotations

import ast
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import resources
from pipeline.errors import RenderError, UsageError
from pipeline.reporting import csv
from pipeline.simulator.population import SMALLEST
from pipeline.simulator.server import Simulator
from pipeline.warehouse import archive, database, files
from pipeline.warehouse.policy import PolicyFiles, load_policy
from pipeline.warehouse.roster import load_roster
from tests.cases.case import Case, each
from tests.e2e.conftest import run_command
from tests.fakes.forger import reseal
from tests.warehouse.conftest import House

ROOT = Path(__file__).parents[2]

#: Names that mean something to DuckDB, a shell, the web or a file system; content is a twin that each could mean.
ODD_NAMES = [
    Case("path", "run[1]", "that folder is read", "run1"),
    Case("path", "run[!a]", "that folder is read", "runb"),
    Case("path", "[[]", "that folder is read", "["),
    Case("path", "run*", "that folder is read", "run-other"),
    Case("path", "run?", "that folder is read", "runs"),
    Case("path", "**", "that folder is read", "x"),
    Case("path", "{a,b}", "that folder is read", "a"),
    Case("path", "source=other", "no column comes out of the path", "source"),
    Case("path", "payload=1", "no column comes out of the path", "payload"),
    Case("path", "filename=x", "no column comes out of the path", "filename"),
    Case("path", "s3:", "it is no web address", "s3"),
    Case("path", "100%41 #1", "nothing is decoded", "100A"),
    Case("path", 'it\'s "quoted";', "that folder is read", "its"),
    Case("path", "line\nend", "that folder is read", "line"),
    Case("path", "Überprüfung \U0001f600", "that folder is read", "U"),
    Case("path", "back\\slash", "that folder is read", "back/slash"),
    Case("path", "ends in a blank ", "that folder is read", "ends in a blank"),
    Case("path", "~", "the home folder of a user who does not exist", "home"),
    Case("path", "-x", "it is no option", "x"),
]


@each(ODD_NAMES)
def test_parquet_is_read_from_exactly_the_given_path(case: Case, tmp_path: Path) -> None:
    path, twin = tmp_path / case.given / "users.parquet", tmp_path / case.content / "users.parquet"
    with duckdb.connect() as connection:
        for number, each_path in enumerate((twin, path), start=1):
            each_path.parent.mkdir(parents=True)
            select = f"select {number} as source, 'x' as payload from range({number})"
            connection.execute(f"copy ({select}) to $path (format parquet)", {"path": str(each_path)})
        rows = files.parquet(path)

        found = connection.execute(f"select * from {rows.sql}", rows.values).fetchall()

        assert found == [(2, "x"), (2, "x")]
        assert archive.parquet_rows(connection, path) == 2


@each(ODD_NAMES)
def test_pages_are_landed_from_exactly_the_written_spool(
    case: Case,
    tmp_path: Path,
    open_house: Callable[..., Any],
    source: Any,
    make_user: Callable[..., Any],
    models: Any,
) -> None:
    snapshot_id = "20260101T000000Z-0001"
    house_of_twin = House(None, tmp_path / "twin", models)  # type: ignore[arg-type]  # it only writes a spool
    house_of_twin.spool(snapshot_id, {"prod": source([make_user("stranger")])})
    (tmp_path / case.content).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(tmp_path / "twin", tmp_path / case.content)

    with open_house(tmp_path / case.given, models) as house:
        snapshot = house.land(snapshot_id, {"prod": source([make_user("ann"), make_user("bo")], page_size=1)})
        landed = house.rows("select source, payload ->> '$._id' from raw.users order by all")

    assert (snapshot.completeness, landed) == ("FULL", [("prod", "ann"), ("prod", "bo")])


@each(ODD_NAMES)
def test_roster_and_policy_are_read_from_the_hashed_files(case: Case, tmp_path: Path) -> None:
    for number, name in enumerate((case.content, case.given), start=1):
        folder = tmp_path / name
        (folder / "policy").mkdir(parents=True)
        (folder / "people.csv").write_text("email\n" + "".join(f"u{i}@example.com\n" for i in range(number)))
        owners = "entitlement_type,entitlement_name,reviewer_email\n"
        (folder / "policy" / "owners.csv").write_text(owners + f"group,Sales,boss{number}@example.com\n")
    folder = tmp_path / case.given

    with database.in_memory() as connection:
        found = load_roster(connection, folder / "people.csv")
        load_policy(connection, PolicyFiles(resources.reference_data(), folder / "policy", ()))
        owners = connection.execute("select reviewer_email from policy.owners").fetchall()

    assert found == (2, hashlib.sha256((folder / "people.csv").read_bytes()).hexdigest())
    assert owners == [("boss2@example.com",)]


UNUSABLE = [
    Case("path", "a backslash beside a pattern", "refused by name", ("back\\slash[1]", "back\\slash[1]")),
    Case("path", "bytes that are no text", "refused by name", ("nu\udcff", "nu\\udcff")),
]


@each(UNUSABLE)
def test_a_path_that_duckdb_cannot_express_is_refused(case: Case, tmp_path: Path) -> None:
    name, shown = case.content
    with pytest.raises(UsageError) as caught:
        files.parquet(tmp_path / name / "users.parquet")

    assert shown in caught.value.where


def test_an_unwritable_export_says_why(tmp_path: Path) -> None:
    path = tmp_path / "nu\udcff" / "rules.csv"
    path.parent.mkdir()
    with duckdb.connect() as connection, pytest.raises(RenderError, match="not UTF-8") as caught:
        csv.write(connection, "select 1 as n", path, order_by="n")

    assert "nu\\udcff" in caught.value.where


@each([case for case in ODD_NAMES if not {"?", "\\"} & set(case.given)])
def test_a_database_works_under_every_accepted_name(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.given / f"{case.given}.duckdb"
    path.parent.mkdir()
    with database.writing(path, notify=pytest.fail) as connection, database.transaction(connection):
        connection.execute("insert into reference.freemail_domains values ('example.com')")

    with database.reading(path, notify=pytest.fail) as connection:
        assert connection.execute("select count(*) from reference.freemail_domains").fetchall() == [(1,)]
    assert [each_path.name for each_path in path.parent.iterdir()] == [path.name]
    assert [each_path.name for each_path in tmp_path.iterdir()] == [path.parent.name]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a run in a folder that no program likes, beside a folder that its name would fit."""
    parent = tmp_path_factory.mktemp("odd")
    folder = parent / "source=x[1] * {a} 100% #1 'q' é "
    (parent / folder.name.replace("[1]", "1")).mkdir()
    with Simulator(SMALLEST, 7) as simulator:
        simulator.write_files(folder)
        secret = {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password}
        outcome = run_command(folder, "run", "--format", "csv", **secret)
    assert outcome.code == 0, outcome.stderr
    return Path(outcome.stdout.splitlines()[0])


def test_a_run_in_a_folder_with_special_characters_reports_every_account_and_can_be_rebuilt(report: Path) -> None:
    outcome = run_command(report.parent, "verify", report.name, "--rebuild")

    assert outcome.code == 0, outcome.stderr + outcome.stdout
    assert len((report / "population.csv").read_text(encoding="utf-8").splitlines()) > SMALLEST


def test_a_forged_folder_is_not_rebuilt_from_the_rows_of_its_neighbour(report: Path, tmp_path: Path) -> None:
    shutil.copytree(report, tmp_path / "run1")
    forged = shutil.copytree(report, tmp_path / "run[1]")
    users = forged / "raw" / "users.parquet"
    with duckdb.connect() as connection:
        rows = files.parquet(users)
        connection.execute(f"create table kept as select * from {rows.sql}", rows.values)
        connection.execute(
            "copy (select * from kept where ordinal > 1) to $path (format parquet)", {"path": str(users)}
        )
    reseal(forged)

    outcome = run_command(tmp_path, "verify", "run[1]", "--rebuild")

    assert outcome.code == 1, outcome.stdout
    assert "population.csv" in outcome.stdout


#: What makes DuckDB open a file: a table function, a copy, a dump, or a path in quotes after `from`.
_OPENS_A_FILE = re.compile(
    r"\b(?:read|parquet|sniff|glob|query_table|\w+_scan)\w*\s*\(\s*[$'\[{]"
    r"|\bcopy\s+[\w.\"]+\s+from\b|\bimport\s+database\b|(?<!distinct )\bfrom\s+'[^'\s]+'",
    re.IGNORECASE,
)
_READERS = {"read_csv", "read_json", "read_parquet", "from_parquet", "from_csv_auto"}
_READER = "pipeline/warehouse/files.py"


def test_only_one_module_lets_duckdb_open_a_file() -> None:
    places = [*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("bench/**/*.py"), *ROOT.glob("sql/**/*.sql")]
    readers = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in places
        if path.relative_to(ROOT).as_posix() != _READER
        for text in _texts(path)
        for found in _OPENS_A_FILE.finditer(text)
        # the name of a table of the catalog, with its schema
        if (path.parent.name, found[0]) != ("database", "query_table($")
    ]

    assert readers == [], "use pipeline/warehouse/files.py, which reads the file that is named and no other"


def _reads_bytes(call: ast.AST) -> bool:
    """Return whether a call is given bytes that were read already, not a path."""
    given = call.args[0] if isinstance(call, ast.Call) and call.args else None
    return isinstance(given, ast.Call) and ast.unparse(given.func) == "io.BytesIO"


def _texts(path: Path) -> Iterator[str]:
    """Yield the SQL of a file: every text in Python code, with {} for what is filled in, and DuckDB's own methods."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield source
        return
    nodes = list(ast.walk(ast.parse(source)))
    of_bytes = {node.func for node in nodes if _reads_bytes(node)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Attribute) and node.attr in _READERS and node not in of_bytes:
            yield f"{node.attr}($"
