"""The two PDFs of a report as their readers see them, also with hostile names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pypdf
import pytest
import weasyprint

from pipeline import resources
from pipeline.reporting import pdf
from tests.reporting.conftest import _RULES, Build, fill
from tests.reporting.printing import pages_of, print_brief, print_evidence
from tests.reporting.sealing import write
from tests.rules import rule

#: Titles of the rules of the built organisation, and whether they have nothing to examine.
RULES = tuple((row[1], row[0] == rule("Too many administrators")) for row in _RULES)

HOSTILE = (
    '<img src="file:///etc/passwd">',
    "</style><script>alert(1)</script>",
    "url(http://127.0.0.1:1/x)",
    "{{ 7 * 7 }}",
    "\u202eexe.fdp",
)


@dataclass(frozen=True)
class Printed:
    """Both documents of one build, with their text page by page."""

    brief: Path
    evidence: Path
    pages: list[str]
    evidence_pages: list[str]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """The documents of an ordinary organisation, for tests that only read them."""
    folder = tmp_path_factory.mktemp("printed")
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, accounts=2000, findings=12, exclusions=2, exceptions=(12, -3))
        brief, evidence = print_brief(connection, folder), print_evidence(connection, folder)
    return Printed(brief, evidence, pages_of(brief), pages_of(evidence))


def outline(path: Path) -> list[Any]:
    return [
        [entry.title for entry in entry_or_list] if isinstance(entry_or_list, list) else entry_or_list.title
        for entry_or_list in pypdf.PdfReader(path).outline
    ]


def page_of(pages: list[str], words: str) -> int:
    """Return the number of the first page after the contents that has these words."""
    return next(number for number, text in enumerate(pages[1:], start=2) if words in text)


def test_the_brief_says_the_result_in_a_sentence_and_adds_up(printed: Printed) -> None:
    reader = pypdf.PdfReader(printed.brief)
    assert reader.metadata is not None
    assert reader.metadata["/Title"] == "Access review of Example Corp, as of 1 Nov 2026"
    assert reader.metadata["/CreationDate"] == "D:20261031235953Z"
    assert "One account of a person who has left is still active" in printed.pages[0]
    assert "2,000 accounts = 1,960 in scope + 40 out of scope with approval" in printed.pages[1]
    assert all(f"{n} of {len(printed.pages)}" in page for n, page in enumerate(printed.pages, start=1))
    assert not any("NOT COMPLETE" in page for page in printed.pages + printed.evidence_pages)


def test_the_outline_leads_to_every_section(printed: Printed) -> None:
    assert outline(printed.brief) == [
        "Access review",
        "Most urgent actions",
        "Where the numbers come from",
        "Sign-off form",
        "Findings by severity and person",
        [
            "◆ Critical: 1 open finding, to be fixed within 1 day",
            "▲ High: 4 open findings, to be fixed within 7 days",
            "■ Medium: 7 open findings, to be fixed within 30 days",
        ],
        "Changes",
        "Access and reach",
        ["Privileged accounts"],
        "Review and remediation",
        ["Accepted risk", "Review quality", "Remediation"],
    ]
    assert [title for title in outline(printed.evidence) if isinstance(title, str)] == [
        "Evidence of the access review",
        "Scope and criteria",
        "How this population was obtained",
        "Rules and their results",
        "Population",
        "Data dictionary",
        "How to verify",
    ]


def test_the_contents_give_the_page_of_each_section(printed: Printed) -> None:
    contents = printed.pages[0].replace(".", "").replace("  ", " ")
    contents = " ".join(contents.split())
    for title in ("Sign-off form", "Findings by severity and person", "Access and reach", "Review and remediation"):
        assert f"{title} {page_of(printed.pages, title)} " in contents + " ", title


def test_a_report_with_few_findings_is_short(database: Build, tmp_path: Path) -> None:
    pages = pages_of(print_brief(database(findings=1, accounts=25, object_count=5), tmp_path))

    assert len(pages) <= 10
    assert page_of(pages, "Findings by severity and person 1 open finding") <= 5


def test_the_trend_is_a_sentence_a_chart_and_the_numbers_of_each_report(database: Build, tmp_path: Path) -> None:
    connection = database(findings=12, changes=5)

    pages = pages_of(print_brief(connection, tmp_path))

    now = "from reports.trend where snapshot_id = (select snapshot_id from reports.snapshot)"
    [(new, reopened, resolved, still)] = connection.execute(
        f"select sum(new), sum(reopened), sum(resolved), sum(open) {now}"
    ).fetchall()
    assert f"Since 2 Aug 2026: new {new} · resolved {resolved} · open {still} ({still + 5 * 3} before)" in pages[0]
    for severity, number in connection.execute(f"select severity, open {now} and severity <> 'info'").fetchall():
        assert f"{severity} {number}" in pages[0]
    table = pages[page_of(pages, "Findings over the last 7 reports") - 1]
    assert f"31 Oct 2026, as of 1 Nov 2026 {new} {reopened} {resolved} {still} " in table
    assert f"4 May 2025 – – – {still + 5 * 18} " in table
    assert "1 Feb 2026 8 31 97.0 % 3.0 % 38" in table


def test_without_an_earlier_report_the_trend_says_what_it_lacks(printed: Printed) -> None:
    assert "A trend needs two reports." in printed.pages[0]
    assert "Findings over the last" not in " ".join(printed.pages)


def test_an_action_names_what_to_do_for_whom_and_until_when(printed: Printed) -> None:
    actions = printed.pages[1]

    assert (
        "Leaver still active: Deactivate the account today, and check what it opened since the last day. Ada Example"
        " ◆ critical 1 finding Ada Example 2 Nov 2026"
    ) in actions
    assert actions.index("◆ critical") < actions.index("▲ high") < actions.index("■ medium")


def test_a_finding_has_its_owner_and_its_date(printed: Printed) -> None:
    critical = printed.pages[page_of(printed.pages, "Critical: 1 open finding") - 1]

    assert "Ada Example Viewer · Finance · user00000@example.com" in critical
    assert "2 Nov 2026" in critical  # first seen on the day before, to be fixed within a day


def test_every_page_says_that_the_population_is_incomplete(database: Build, tmp_path: Path) -> None:
    connection = database(completeness="PARTIAL", reason="the server counts 12 accounts more")

    text, evidence = pages_of(print_brief(connection, tmp_path)), pages_of(print_evidence(connection, tmp_path))

    assert all("NOT COMPLETE" in page for page in text + evidence)
    assert "the server counts 12 accounts more" in text[0]
    assert "the server counts 12 accounts more" in evidence[0]
    assert "✗ FAIL" in next(page for page in evidence if "Server's own count" in page)


def test_a_report_without_findings_says_so_in_sentences(database: Build, tmp_path: Path) -> None:
    text = " ".join(pages_of(print_brief(database(findings=0, admins=0, accounts=0), tmp_path)))

    assert "No account is in scope" in text
    assert "there are no open findings" in text
    assert "No account has a role with administrative rights" in text
    assert "No rule has findings" in text


def test_a_long_severity_is_shortened_and_says_where_the_rest_is(database: Build, tmp_path: Path) -> None:
    connection = database(findings=40, changes=30)

    text = " ".join(pages_of(print_brief(connection, tmp_path, rows_per_table=5)))

    [(medium,)] = connection.execute("select count(*) from reports.findings where severity = 'medium'").fetchall()
    assert f"1 of {medium} findings are shown here; findings.csv has all of them" in text
    assert "5 of 30 changes are shown here, changes of privileges first; changes.csv has all of them" in text


def test_exclusions_and_accepted_risks_are_shown_with_their_approvers(printed: Printed) -> None:
    text = " ".join(printed.pages)

    assert "monitoring ciso@example.com" in " ".join(printed.evidence_pages)
    assert "12 days left" in text
    assert "expired 3 days ago" in text
    assert "2 exceptions on record, 1 of them expired" in text


def test_statistics_and_controls_match_the_population(printed: Printed) -> None:
    text = " ".join(printed.evidence_pages)

    assert "each adds up to 2,000" in text
    assert "never 0 0.0 % 0 0 0 unknown 0 0.0 % 0 0 0" in text
    assert "SOC 2 CC6.2" in text
    assert "HIPAA 164.308(a)(3)(ii)(C)" in text


def test_each_rule_is_listed_once_and_in_the_evidence_alone(printed: Printed) -> None:
    text, evidence = " ".join(printed.pages), " ".join(printed.evidence_pages)

    rules = evidence[evidence.index("a finding may be more or less severe.") :]
    for title, *_ in RULES:
        assert rules.count(f"{title} ") == 1, title
    assert len(re.findall(r"Population [0-9,]+ = ", evidence)) == sum(1 for _, is_idle in RULES if not is_idle)
    assert not re.search(r"Population [0-9,]+ = ", text)


def test_accepted_findings_stay_and_are_marked(database: Build, tmp_path: Path) -> None:
    text = pages_of(print_brief(database(findings=4, statuses=("accepted_risk",)), tmp_path))

    assert "there are no open findings" in text[1]
    assert any("accepted risk" in page for page in text[2:])


def test_hostile_names_are_inert_text(database: Build, tmp_path: Path) -> None:
    connection = database(findings=24, admins=5, names=HOSTILE, organization=HOSTILE[0])

    text = " ".join(pages_of(print_brief(connection, tmp_path)))

    assert '<img src="file:///etc/passwd">' in text
    assert "<script>alert(1)</script>" in text.replace(" ", "")  # a long name is broken to fit its column
    assert "url(http://127.0.0.1:1/x)" in text
    assert "{{ 7 * 7 }}" in text
    assert "\ufffdexe.fdp" in text
    assert "\u202e" not in text


def test_a_document_has_the_bytes_that_weasyprint_writes(tmp_path: Path) -> None:
    page = '<link rel="stylesheet" href="print.css"><title>Review</title><p>A <b>page</b>'
    table = tmp_path / "population.csv"
    table.write_text("account_id\n1\n", encoding="utf-8")
    at = datetime(2026, 9, 30, 8, tzinfo=UTC)

    made, _ = pdf.render(page, resources.templates(), [table], at)

    base = resources.templates().as_uri() + "/"
    attachment = weasyprint.Attachment(
        string=table.read_bytes(), name=table.name, description="population.csv, as in the report folder",
        created=at, modified=at, relationship="Data",
    )  # fmt: skip
    document = weasyprint.HTML(string=page, base_url=base)
    assert made == document.write_pdf(pdf_variant="pdf/a-3a", attachments=[attachment])


def test_a_character_without_a_glyph_is_a_warning_that_names_its_owner(database: Build, tmp_path: Path) -> None:
    # A private-use plane: no font may claim it. The bundled fonts show the names of Europe.
    names = ("Zoë Łukaszewicz-Ångström", "Παράδειγμα Μαρία", "Пример Ольга", "Nguyễn Ğüneş", "Kim \U000f1234\x1b[2J")
    connection = database(admins=len(names), names=names)

    [warning] = write(connection, tmp_path, "pdf").warnings

    assert re.findall(r"U\+[0-9A-F]+", warning) == ["U+F1234"]
    assert "Kim" in warning
    assert not [name for name in names[:-1] if name in warning]
    assert "\x1b" not in warning


def test_the_quality_of_a_review_is_shown_with_sums_that_add_up(database: Build, tmp_path: Path) -> None:
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

    text = " ".join(pages_of(print_brief(connection, tmp_path)))

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


def test_a_report_without_a_review_says_so(printed: Printed) -> None:
    assert "No earlier extract had been reviewed when this one ended" in " ".join(printed.pages)


def test_a_report_evaluated_on_another_day_says_when_its_data_was_read(database: Build, tmp_path: Path) -> None:
    connection = database()
    connection.execute("update reports.snapshot set as_of = as_of + interval 14 days")

    brief, evidence = pages_of(print_brief(connection, tmp_path)), pages_of(print_evidence(connection, tmp_path))

    for front in (brief[0], evidence[0]):
        assert "· read 31 Oct 2026, evaluated as of 15 Nov 2026" in front
    assert "proven complete; evaluated as of 15 Nov 2026" in " ".join(brief)


def test_the_accounts_of_one_person_are_in_one_row_with_their_addresses(database: Build, tmp_path: Path) -> None:
    connection = database(findings=4)
    [(found,)] = connection.execute("select min(finding_id) from reports.finding_rows").fetchall()
    connection.execute(
        "update reports.finding_rows set person_id = 'p', email = 'one@example.com' where finding_id = ?", [found]
    )
    connection.execute(
        "insert into reports.finding_rows"
        " select * replace ('second' as finding_id, 'two@example.com' as email, 'Another detail.' as detail)"
        " from reports.finding_rows where finding_id = ?",
        [found],
    )

    text = " ".join(pages_of(print_brief(connection, tmp_path)))

    assert "one@example.com · two@example.com" in text or "two@example.com · one@example.com" in text
    assert "two@example.com: Another detail." in text


def test_a_data_model_is_called_so_and_has_no_role_or_address_of_an_account(database: Build, tmp_path: Path) -> None:
    connection = database(findings=4)
    connection.execute(
        "update reports.finding_rows set subject_type = 'object', kind = 'data model', label = 'Cash Model',"
        " role = 'Role of nobody', email = 'nobody@example.com'"
    )

    text = " ".join(pages_of(print_brief(connection, tmp_path)))
    findings = text[text.index("Critical: ") : text.index("Access and reach", text.index("Critical: "))]

    assert "Cash Model data model" in findings
    assert "Role of nobody" not in findings
    assert "nobody@example.com" not in findings
