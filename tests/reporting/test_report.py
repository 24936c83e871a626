"""The report folder as readers and auditors use it, also with hostile names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline import resources
from pipeline.errors import RenderError
from pipeline.reporting import pdf, report

FOLDER = "20261031T235800Z-4f2a"


def write(connection: duckdb.DuckDBPyConnection, directory: Path, *formats: str) -> report.ReportFolder:
    return report.write(connection, directory, frozenset(formats), lambda _: None, report.ReportOptions(cores=1))


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_folder_holds_every_file_and_nothing_else(database, tmp_path):
    result = write(database(), tmp_path, *report.FORMATS)

    names = [
        "population.csv", "access.csv", "findings.csv", "changes.csv", "rules.csv", "reach.csv", "licences.csv",
        "trend.csv", "reconciliation.csv",
        "access-review.xlsx", "access-review.html", "graph.graphml", "graph.json",
        "access-review.pdf", "access-review-evidence.pdf", "manifest.json",
    ]  # fmt: skip
    assert result.folder == tmp_path / FOLDER
    assert [file.name for file in result.files] == names
    assert names_in(result.folder) == sorted([*names, "raw", "sql", "inputs"])
    assert names_in(tmp_path) == [FOLDER]


def test_progress_names_each_file_before_it_is_made(database, tmp_path):
    said = []

    result = report.write(database(), tmp_path, frozenset({"csv"}), said.append)

    assert [name for name in said if "." in name] == [file.name for file in result.files]


def test_the_html_shows_the_first_findings_of_a_long_rule_and_says_where_all_are(database, tmp_path):
    result = write(database(findings=1400, accounts=1400), tmp_path, "html")

    page = (result.folder / "access-review.html").read_text(encoding="utf-8")
    assert "25 of 1,100 findings are shown here, the most severe first." in page
    assert "All findings of this rule</span> can be looked up; findings.csv has them too." in page


def test_formulas_in_names_are_neutralised_and_counted(database, tmp_path):
    result = write(database(accounts=3, findings=0, names=("=1+1",)), tmp_path, "csv")

    population = (result.folder / "population.csv").read_text(encoding="utf-8")
    assert population.count(",'=1+1,'=1+1,") == 3
    assert result.neutralised == 6


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.png", "file:///etc/passwd", "../../pyproject.toml", "data:,x"])
def test_a_document_loads_bundled_assets_only(url):
    html = f'<html lang="en"><title>x</title><img alt="x" src="{url}"></html>'

    with pytest.raises(RenderError, match="not one of its own files"):
        pdf.render(html, resources.templates())


def test_an_existing_folder_is_replaced_completely(database, tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "left-over.txt").write_text("old")

    result = write(database(), tmp_path, "csv")

    assert names_in(tmp_path / FOLDER) == sorted([*(file.name for file in result.files), "raw", "sql", "inputs"])
    assert names_in(tmp_path) == [FOLDER]


def test_a_report_names_the_files_of_the_earlier_report_that_it_does_not_write_again(database, tmp_path):
    write(database(), tmp_path, "graph")

    [warning] = write(database(), tmp_path, "csv").warnings

    assert "graph.graphml, graph.json were not written again" in warning
    assert write(database(), tmp_path, "csv").warnings == ()


def test_a_failure_midway_leaves_only_the_old_folder(database, tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "population.csv").write_text("old")
    connection = database()
    connection.execute("drop table reports.findings")

    with pytest.raises(duckdb.Error):
        write(connection, tmp_path, "csv")

    assert names_in(tmp_path) == [FOLDER]
    assert (tmp_path / FOLDER / "population.csv").read_text() == "old"


def test_a_folder_that_cannot_be_created_is_a_render_error(database, tmp_path):
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(RenderError) as caught:
        write(database(), tmp_path / "file", "csv")

    assert caught.value.exit_code == 5
    assert "--out" in caught.value.hint


def test_csv_xlsx_and_html_do_not_need_the_libraries_of_pdf(tmp_path):
    program = (
        "import pathlib, runpy, sys\n"
        "import duckdb\n"
        "sys.modules['weasyprint'] = None\n"
        "from pipeline.reporting import report\n"
        "connection = duckdb.connect()\n"
        "runpy.run_path(sys.argv[1])['fill'](connection)\n"
        "formats = report.FORMATS - {'pdf'}\n"
        "options = report.ReportOptions(cores=1)\n"
        "written = report.write(connection, pathlib.Path(sys.argv[2]), formats, lambda _: None, options)\n"
        "print(*sorted({file.suffix for file in written.files}))\n"
    )
    tables = Path(__file__).with_name("conftest.py")

    ran = subprocess.run(
        [sys.executable, "-c", program, tables, tmp_path], capture_output=True, text=True, check=True
    )

    assert ran.stdout == ".csv .graphml .html .json .xlsx\n"


def test_missing_pango_is_an_error_that_says_how_to_install_it():
    program = (
        "import ctypes.util, cffi\n"
        "def refuse(self, name, flags=0): raise OSError(f\"cannot load library '{name}'\")\n"
        "cffi.FFI.dlopen = refuse\n"
        "from pipeline.errors import RenderError\n"
        "from pipeline.reporting import pdf\n"
        "try:\n    pdf.check_libraries()\n"
        "except RenderError as error:\n    print(error.exit_code, error, error.hint)\n"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.startswith("5 a PDF needs the system library Pango")
    assert "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in ran.stdout
    assert "weasyprint.org" not in ran.stdout
