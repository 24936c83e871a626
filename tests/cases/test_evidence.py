"""Evidence does not depend on the machine that wrote it, and system files in a folder are not taken for a forgery."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import duckdb
import pypdf
import pytest

from pipeline.evidence.verification import verify
from pipeline.simulator.server import Simulator
from pipeline.warehouse import files
from tests.cases.case import Case, each
from tests.e2e.conftest import run_command

APPROVER = ("--by", "Ann Ek", "--email", "ann@example.com")
OPERATOR = ("--by", "Bo Dahl", "--email", "bo@example.com")
FAILING = """
[sources.second]
kind = "sisense"
url = "https://127.0.0.1:9"
username = "svc"
ca_bundle = "{ca}"
max_attempts = 1
give_up_after_seconds = 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two reports: of changes that were applied and verified, and of an extract that failed.

    The configuration names everything by its absolute path; the second source fails over one of them.
    """
    folder = tmp_path_factory.mktemp("machine-of-ann")
    with Simulator(60, 7) as simulator:
        configuration = simulator.write_files(folder)["access-review.toml"]
        text = configuration.read_text(encoding="utf-8")
        for name in ("people.csv", "policy"):
            assert f'"{name}"' in text
            text = text.replace(f'"{name}"', json.dumps(str(folder / name)))
        configuration.write_text(text, encoding="utf-8")

        def command(*arguments: str, code: int = 0) -> None:
            outcome = run_command(
                folder, *arguments,
                ACCESS_REVIEW_PROD_PASSWORD=simulator.password, ACCESS_REVIEW_SECOND_PASSWORD="x",
            )  # fmt: skip
            assert outcome.code == code, outcome.stderr

        command("extract")
        command("build")
        command("remediate", "plan", "--stale-days", "90", "--output", str(folder / "plan.json"))
        command("remediate", "approve", str(folder / "plan.json"), *APPROVER)
        command("remediate", "apply", str(folder / "plan.json"), *OPERATOR, "--yes")
        command("remediate", "verify")
        configuration.write_text(text + FAILING.format(ca=folder / "no-such-ca.pem"), encoding="utf-8")
        command("extract", code=2)
        command("build", "--allow-partial")
        command("report", "--allow-partial", "--format", "csv,xlsx,html")
    return folder


def test_no_output_names_a_path_of_this_machine(folder: Path) -> None:
    told = {
        f"{path.relative_to(folder)}{inside}: {text[max(0, at - 60) : at + 90]!r}"
        for path in sorted((folder / "out").rglob("*"))
        if path.is_file()
        for inside, text in _texts(path)
        for name in (folder.name, quote(str(folder)), str(Path.home()) + "/", str(Path(__file__).parents[2]))
        if (at := text.find(name)) >= 0
    }

    assert told == set()
    assert len(list((folder / "out").rglob("review.plans.parquet"))) == 2


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every text in a file, and where in it: packed and compressed ones too."""
    content = path.read_bytes()
    yield "", content.decode("utf-8", errors="replace")
    if path.suffix == ".parquet":
        rows = files.parquet(path)
        with duckdb.connect() as connection:
            yield " (rows)", repr(connection.execute(f"select * from {rows.sql}", rows.values).fetchall())
    elif path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            for name in book.namelist():
                yield f" ({name})", book.read(name).decode("utf-8", errors="replace")
    elif path.suffix == ".pdf":
        reader = pypdf.PdfReader(io.BytesIO(content))
        yield " (text)", " ".join(page.extract_text() for page in reader.pages)
        yield " (about)", repr(reader.metadata) + repr(reader.attachments)


SYSTEM_FILES = [
    Case("system file", "a file manager's, macOS", "delete these files", ".DS_Store"),
    Case("system file", "a file manager's, macOS, below a folder", "delete these files", "raw/.DS_Store"),
    Case("system file", "resource fork of a table", "delete these files", "._population.csv"),
    Case("system file", "resource fork of rows", "delete these files", "raw/._users.parquet"),
    Case("system file", "what macOS packs into an archive", "delete these files", "__MACOSX/._rules.csv"),
    Case("system file", "pictures of files, Windows", "delete these files", "Thumbs.db"),
    Case("system file", "settings of a folder, Windows", "delete these files", "inputs/Desktop.ini"),
    Case("system file", "an open workbook, Excel", "delete these files", "~$access-review.xlsx"),
    Case("system file", "an open table, LibreOffice", "delete these files", ".~lock.findings.csv#"),
    Case("system file", "settings of a folder, KDE", "delete these files", ".directory"),
    Case("added file", "a note", "get the folder again", "note.txt"),
    Case("added file", "a hidden one", "get the folder again", ".hidden"),
    Case("added file", "a table", "get the folder again", "population2.csv"),
    Case("added file", "a model", "get the folder again", "sql/3_findings/more.sql"),
]


@pytest.fixture(scope="module")
def sealed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = min((folder / "out").glob("*/rules.csv")).parent
    return shutil.copytree(report, tmp_path_factory.mktemp("mailed") / report.name)


@each(SYSTEM_FILES)
def test_a_file_added_by_the_operating_system_is_named_with_a_hint(case: Case, sealed: Path) -> None:
    path = sealed / case.content
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\0")
    try:
        found = verify(sealed)
        said = {problem.path: problem for problem in found.problems}
        if case.kind == "system file":
            assert list(said) == [case.content]
        assert said[case.content].is_system_file is (case.kind == "system file")
        assert "is not in the manifest" in said[case.content].what
    finally:
        path.unlink()
        if path.parent.name == "__MACOSX":
            path.parent.rmdir()


@pytest.mark.parametrize("names", [(".DS_Store",), (".DS_Store", "note.txt"), (".DS_Store", "")])
def test_the_hint_suggests_deleting_only_if_nothing_else_is_wrong(
    names: tuple[str, ...], sealed: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(sealed, tmp_path / "mailed")
    for name in filter(None, names):
        (folder / name).write_bytes(b"\0")
    if "" in names:
        (folder / "rules.csv").unlink()

    outcome = run_command(tmp_path, "verify", "mailed")

    assert outcome.code == 1
    assert ("delete these files" in outcome.stderr) is (names == (".DS_Store",))
    assert ("ask its author for it again" in outcome.stderr) is (names != (".DS_Store",))
