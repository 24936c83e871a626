"""The report folder as readers and auditors use it, also with hostile names."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pypdf
import pytest

from pipeline import resources
from pipeline.errors import RenderError
from pipeline.reporting import pdf, report
from tests.reporting.conftest import fill
from tests.rules import rule

LEAVER_ACTIVE = rule("Leaver still active")
STALE_ACCOUNT = rule("Stale account")

FOLDER = "20261031T235800Z-4f2a"
HOSTILE = (
    '<img src="file:///etc/passwd">',
    "</style><script>alert(1)</script>",
    "url(http://127.0.0.1:1/x)",
    "{{ 7 * 7 }}",
    "\u202eexe.fdp",
)


def write(connection: duckdb.DuckDBPyConnection, directory: Path, *formats: str) -> report.ReportFolder:
    return report.write(connection, directory, frozenset(formats), lambda _: None)


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def pages(result: report.ReportFolder, name: str = "access-review.pdf") -> list[str]:
    reader = pypdf.PdfReader(result.folder / name)
    return [" ".join(page.extract_text().split()) for page in reader.pages]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> report.Report:
    """The PDF report of an ordinary organisation, for tests that only read it."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, accounts=40, findings=12, exclusions=2, exceptions=(12, -3))
        return write(connection, tmp_path_factory.mktemp("printed"), "pdf")


def test_the_folder_holds_every_file_and_nothing_else(database, tmp_path):
    result = write(database(), tmp_path, *report.FORMATS)

    names = [
        "population.csv", "access.csv", "findings.csv", "changes.csv", "rules.csv", "reach.csv", "licences.csv",
        "reconciliation.csv",
        "access-review.xlsx", "access-review.html", "access-review.pdf", "access-review-evidence.pdf",
        "graph.graphml", "graph.json", "manifest.json",
    ]  # fmt: skip
    assert result.folder == tmp_path / FOLDER
    assert [file.name for file in result.files] == names
    assert names_in(result.folder) == sorted([*names, "raw", "sql", "inputs"])
    assert names_in(tmp_path) == [FOLDER]


def test_progress_names_each_file_before_it_is_made(database, tmp_path):
    said = []

    result = report.write(database(), tmp_path, frozenset({"csv"}), said.append)

    assert [name for name in said if "." in name] == [file.name for file in result.files]


def test_the_pdf_reads_as_a_report(database, tmp_path):
    result = write(database(findings=12, admins=3, accounts=2000), tmp_path, "pdf")

    reader = pypdf.PdfReader(result.folder / "access-review.pdf")
    text = pages(result)
    assert reader.metadata["/Title"] == "Access review of Example Corp, as of 1 Nov 2026"
    assert reader.metadata["/CreationDate"] == "D:20261031235953Z"
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert "/StructTreeRoot" in reader.trailer["/Root"]
    assert all(f"{n} of {len(text)}" in page for n, page in enumerate(text[1:], start=2))
    assert "2,000 accounts = 1,960 in scope + 40 excluded" in text[1]
    assert "One account of a person who has left is still active" in text[1]
    assert not any("NOT COMPLETE" in page for page in text)


def outline(folder: Path, name: str) -> list[str]:
    entries = pypdf.PdfReader(folder / name).outline
    return [entry.title for entry in entries if not isinstance(entry, list)]


def test_the_outline_leads_to_every_section_and_rule(printed):
    assert outline(printed.folder, "access-review.pdf") == [
        "Cover",
        "Summary",
        "Sign-off form",
        "Findings by rule",
        "Changes since the baseline",
        "Privileged accounts",
        "Accepted risk",
        "Review quality",
        "Remediation",
    ]
    assert outline(printed.folder, "access-review-evidence.pdf") == [
        "Cover",
        "Scope and criteria",
        "How this population was obtained",
        "Population",
        "All rules",
        "Control matrix",
        "Appendix",
    ]
    entries = pypdf.PdfReader(printed.folder / "access-review.pdf").outline
    rules = next(entry for entry in entries if isinstance(entry, list))
    assert rules[0].title == "Leaver still active"


def test_the_summary_gives_the_page_of_each_finding(printed):
    text = pages(printed)

    page = next(n for n, content in enumerate(text, start=1) if LEAVER_ACTIVE in content and "examined" in content)
    assert f"what it opened since the last day. {page} " in text[1]


def test_every_page_says_that_the_population_is_incomplete(database, tmp_path):
    connection = database(completeness="PARTIAL", reason="the server counts 12 accounts more")

    written = write(connection, tmp_path, "pdf")

    text = pages(written)
    assert len(text) > 5
    assert all("NOT COMPLETE" in page for page in text)
    assert "the server counts 12 accounts more" in text[0]
    evidence = pages(written, "access-review-evidence.pdf")
    assert all("NOT COMPLETE" in page for page in evidence)
    assert "✗ FAIL" in next(page for page in evidence if "Gate checks" in page)


def test_a_report_without_findings_says_so_in_sentences(database, tmp_path):
    text = " ".join(pages(write(database(findings=0, admins=0, accounts=0), tmp_path, "pdf")))

    assert "No account is in scope" in text
    assert "there are no open findings" in text
    assert "No account has a role with administrative rights" in text
    assert "No rule has findings" in text


def test_a_long_rule_is_shortened_and_says_where_the_rest_is(database, tmp_path):
    result = write(database(findings=400, accounts=400), tmp_path, "csv", "pdf")

    text = " ".join(pages(result))
    register = (result.folder / "findings.csv").read_text(encoding="utf-8")
    assert "200 of 314 findings are shown here" in text
    assert register.count(f"{STALE_ACCOUNT},") == 314


def test_the_configuration_limits_the_length_of_tables(database, tmp_path):
    connection = database(findings=40, changes=30)

    result = report.write(
        connection, tmp_path, frozenset({"pdf"}), lambda _: None, report.ReportOptions(rows_per_table=5)
    )

    text = " ".join(pages(result))
    assert "5 of 31 findings are shown here" in text
    assert "5 of 30 changes are shown here, changes of privileges first; changes.csv has all of them" in text


def test_exclusions_and_accepted_risks_are_shown_with_their_approvers(printed):
    text = " ".join(pages(printed))

    assert "monitoring ciso@example.com" in " ".join(pages(printed, "access-review-evidence.pdf"))
    assert "12 days left" in text
    assert "expired 3 days ago" in text
    assert "2 exceptions on record, 1 of them expired" in text


def test_statistics_and_controls_match_the_population(printed):
    text = " ".join(pages(printed, "access-review-evidence.pdf"))

    assert "each adds up to 40" in text
    assert "never 0 0.0 % 0 0 0 unknown 0 0.0 % 0 0 0" in text
    assert "SOC 2 CC6.2" in text
    assert "HIPAA 164.308(a)(3)(ii)(C)" in text


def test_the_html_shows_more_rows_of_a_long_rule_than_the_pdf(database, tmp_path):
    result = write(database(findings=1400, accounts=1400), tmp_path, "html")

    page = (result.folder / "access-review.html").read_text(encoding="utf-8")
    assert "1,000 of 1,100 findings are shown here, the most severe first; findings.csv has all of them." in page
    assert page.count('<tr data-severity="') == 1000 + 1400 - 1100


def test_accepted_findings_stay_and_are_marked(database, tmp_path):
    connection = database(findings=4, statuses=("accepted_risk",))

    text = pages(write(connection, tmp_path, "pdf"))

    assert "there are no open findings" in text[1]
    assert any("accepted risk" in page for page in text[2:])


def test_hostile_names_are_inert_text(database, tmp_path):
    connection = database(findings=24, admins=5, names=HOSTILE, organization=HOSTILE[0])

    text = " ".join(pages(write(connection, tmp_path, "pdf")))

    assert '<img src="file:///etc/passwd">' in text
    assert "<script>alert(1)</script>" in text.replace(" ", "")  # a long name is broken to fit its column
    assert "url(http://127.0.0.1:1/x)" in text
    assert "{{ 7 * 7 }}" in text
    assert "\ufffdexe.fdp" in text
    assert "\u202e" not in text


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


def test_a_character_without_a_glyph_is_a_warning_that_names_its_owner(database, tmp_path):
    # A private-use plane: no font may claim it.
    result = write(database(admins=1, names=("Kim \U000f1234\x1b[2J",)), tmp_path, "pdf")

    assert len(result.warnings) == 1
    assert "U+F1234" in result.warnings[0]
    assert "Kim" in result.warnings[0]
    assert "\x1b" not in result.warnings[0]


def test_the_bundled_fonts_show_european_names_without_a_warning(database, tmp_path):
    names = ("Zoë Łukaszewicz-Ångström", "Παράδειγμα Μαρία", "Пример Ольга", "Nguyễn Ğüneş")

    assert write(database(names=names), tmp_path, "pdf").warnings == ()


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
        "written = report.write(connection, pathlib.Path(sys.argv[2]), formats, lambda _: None)\n"
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


def test_the_quality_of_a_review_is_shown_with_sums_that_add_up(database, tmp_path):
    connection = database()
    row = {
        "campaign": "<b>Q4</b>", "scope": "all", "is_overdue": True, "due_on": date(2026, 11, 1),
        "opened_at": date(2026, 10, 1),
        "snapshot_items": 1300, "outside_scope": 60, "left_out": 6, "items": 1234, "kept": 1000, "removed": 200,
        "reduced": 20, "deferred": 4, "excepted": 5, "pending": 5, "high_risk": 7, "high_risk_pending": 1,
        "reviewers": 8, "snapshot_accounts": 500, "accounts": 480, "accounts_decided": 478,
        "item_coverage": 1234 / 1300, "account_coverage": 0.96, "approval_rate": 1000 / 1229, "timed": 100,
        "median_seconds": 12.5, "longest_run": 37, "longest_run_reviewer": "ann@example.com", "self_reviews": 1,
        "self_reviews_unknown": 2,
    }  # fmt: skip
    names = ", ".join(row)
    connection.execute(
        f"insert into reports.review_quality ({names}) values ({', '.join('?' * len(row))})", list(row.values())
    )

    text = " ".join(" ".join(pages(write(connection, tmp_path, "pdf"))).split())

    assert "1,234 items = 1,000 kept + 200 removed + 20 reduced + 4 deferred + 5 excepted + 5 pending." in text
    assert (
        "1,300 items of access in the extract = 1,234 reviewed + 6 left out with a reason + 60 outside the scope."
        in text
    )
    assert "<b>Q4</b>: open, due 1 Nov 2026, ✗ OVERDUE" in text
    assert "Coverage of items 94.9 % 1,234 of 1,300" in text
    assert "Approval rate 81.4 % 1,000 kept of 1,229 decided" in text
    assert "Median time for a decision 12.5 s" in text
    assert "Longest uniform run 37 the same decision in a row, in the order of the packet; by ann@example.com" in text
    assert "In 1 review a reviewer decided on their own access" in text
    assert "Self-reviews ✗ 1 must be 0; for 2 decisions the owner of the account is not known" in text


def test_a_report_without_a_review_says_so(printed):
    assert "No earlier extract had been reviewed when this one ended" in " ".join(" ".join(pages(printed)).split())
