"""Looking things up in the HTML report, as a person at a browser does: search, filters, links, the keyboard."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pypdf
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from pipeline import resources
from pipeline.reporting import dataset, html, lookup, report, text, view
from tests.reporting.conftest import fill
from tests.reporting.shown import card_title, find, go_back, open_page, texts, wait_for_data
from tests.rules import rule

STALE_ACCOUNT = rule("Stale account")
# One worker has the browser.
pytestmark = pytest.mark.xdist_group("browser")
ROWS = "#lookup-results tbody tr"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Hold a build of 120 accounts, 5 of them privileged, with everything that can be looked up."""
    with duckdb.connect() as opened:
        opened.execute("set TimeZone = 'UTC'")
        fill(opened, accounts=120, findings=60, admins=5, object_count=30, changes=12)
        for statement in Path(__file__).with_name("lookup.sql").read_text(encoding="utf-8").split(";\n"):
            opened.execute(statement)
        opened.execute(
            "update reports.population set display_name = 'Priya Udaharan', department = 'Field Sales'"
            " where email = 'user00009@example.com'"
        )
        yield opened


@pytest.fixture(scope="module")
def folder(connection: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write(connection, tmp_path_factory.mktemp("lookup"), frozenset({"html"}), lambda _: None).folder


@pytest.fixture
def page(folder: Path, chromium: webdriver.Chrome) -> webdriver.Chrome:
    open_page(chromium, folder / "access-review.html")
    return chromium


@pytest.fixture
def tab(folder: Path, chromium: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """Give a tab that has no history yet: of more than 50 steps, Chrome forgets those that no click has made."""
    first = chromium.current_window_handle
    chromium.switch_to.new_window("tab")
    open_page(chromium, folder / "access-review.html")
    yield chromium
    chromium.close()
    chromium.switch_to.window(first)


def records(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def go(page: webdriver.Chrome, at: str) -> None:
    """Open another address of the same page, as a link in a mail does."""
    page.execute_script("location.hash = arguments[0]", at)
    WebDriverWait(page, 30).until(lambda _: page.execute_script("return document.body.matches('.looking')"))


def wait_for_rows(page: webdriver.Chrome, number: int) -> None:
    WebDriverWait(page, 30).until(lambda _: len(texts(page, ROWS)) == number)


def facts(page: webdriver.Chrome) -> dict[str, str]:
    """Return the first line of each fact of the opened account or finding, by its name."""
    names, values = texts(page, "#lookup-card dt"), texts(page, "#lookup-card dd")
    return {name: value.partition("\n")[0] for name, value in zip(names, values, strict=True)}


def cells(page: webdriver.Chrome, table: str) -> list[list[str]]:
    read = (
        "return [...document.querySelectorAll(`#lookup-card table[aria-label='${arguments[0]}'] tbody tr`)]"
        ".map(row => [...row.cells].map(cell => cell.innerText))"
    )
    return list(page.execute_script(read, table))


def written_ago(days: str) -> str:
    return {"0": "the day of this report", "1": "1 day ago"}.get(days, f"{int(days):,} days ago")


def test_a_name_is_found_without_its_accents_and_its_account_opened(page):
    find(page, "#lookup-q").send_keys("udaharan field")
    wait_for_rows(page, 1)

    assert find(page, "#lookup-count").text == "1 of 120 accounts: “udaharan field”"
    assert texts(page, "#summary") == [], "the report waits while something is looked up"
    find(page, f"{ROWS} a").send_keys(Keys.ENTER)

    assert card_title(page) == "Priya Udaharan"
    assert page.switch_to.active_element.text == "Priya Udaharan"
    assert page.current_url.endswith("#account=prod/000000000000000000000009")
    assert page.title.startswith("Priya Udaharan · ")
    assert facts(page)["Department"] == "Field Sales"


def test_a_link_to_an_account_opens_it_in_another_tab(page):
    go(page, "find=accounts&q=user00009")
    find(page, f"{ROWS} a").click()
    card_title(page)
    address = page.current_url
    page.switch_to.new_window("tab")
    try:
        page.get(address)
        wait_for_data(page)
        assert card_title(page) == "Priya Udaharan"
        assert page.switch_to.active_element.text == "Priya Udaharan"
    finally:
        page.close()
        page.switch_to.window(page.window_handles[0])


def test_filters_stay_after_a_reload_and_going_back_leads_through_them(tab):
    Select(find(tab, "[name=department]")).select_by_visible_text("Finance")
    WebDriverWait(tab, 30).until(lambda _: "119 of 120" in find(tab, "#lookup-count").text)
    Select(find(tab, "[name=severity]")).select_by_visible_text("▲ high")
    WebDriverWait(tab, 30).until(lambda _: "high" in find(tab, "#lookup-count").text)
    both = find(tab, "#lookup-count").text
    rows = texts(tab, ROWS)
    tab.refresh()
    wait_for_data(tab)

    assert texts(tab, ROWS) == rows
    assert find(tab, "#lookup-count").text == both
    assert Select(find(tab, "[name=department]")).first_selected_option.text == "Finance"
    assert Select(find(tab, "[name=severity]")).first_selected_option.text == "▲ high"
    find(tab, f"{ROWS} a").click()
    opened = card_title(tab)
    go_back(tab)
    wait_for_rows(tab, len(rows))
    assert texts(tab, ROWS) == rows
    assert tab.switch_to.active_element.text == opened, "the keyboard is where it was"
    go_back(tab)
    WebDriverWait(tab, 30).until(lambda _: "119 of 120" in find(tab, "#lookup-count").text)
    assert Select(find(tab, "[name=severity]")).first_selected_option.text == "all"
    go_back(tab)
    WebDriverWait(tab, 30).until(lambda _: texts(tab, "#summary"))
    assert texts(tab, ROWS) == []


def test_filters_of_accounts_ask_for_one_open_finding_that_has_them_all(page, folder):
    go(page, f"find=accounts&severity=high&rule={STALE_ACCOUNT}")

    found = [
        row["account_id"]
        for row in records(folder, "findings.csv")
        if row["severity"] == "high" and row["rule_id"] == STALE_ACCOUNT and row["status"] == "open"
    ]
    wait_for_rows(page, len(set(found)))
    hrefs = [each.get_attribute("href") for each in page.find_elements(By.CSS_SELECTOR, f"{ROWS} td:first-child a")]
    assert {href.rpartition("/")[2] for href in hrefs} == set(found)


def test_findings_are_filtered_too_and_each_has_its_own_link(page, folder):
    find(page, "input[value=findings]").click()
    wait_for_rows(page, 50)
    find(page, "#lookup-results .more").click()
    wait_for_rows(page, 60)
    Select(find(page, "[name=rule]")).select_by_visible_text("Empty group")
    wait_for_rows(page, 2)
    find(page, f"{ROWS} b a").click()

    assert card_title(page) == "Empty group"
    [identity] = [facts(page)["Finding id"]]
    [row] = [row for row in records(folder, "findings.csv") if row["finding_id"] == identity]
    assert page.current_url.endswith(f"#finding={identity}")
    assert texts(page, "#lookup-card .told") == [row["detail"]]
    shown = facts(page)
    assert shown["Group id"] == row["subject_id"]
    assert shown["What to do"] == row["recommended_action"]
    assert shown["Observed"] == row["observed_value"]
    assert shown["Expected"] == row["threshold"]
    assert shown["Controls"] == "; ".join(text.controls(row["controls"]))
    assert shown["Days"] == "334"


def test_every_number_of_an_account_is_that_of_the_csv_files(page, folder):
    access = records(folder, "access.csv")
    for account in records(folder, "population.csv")[:40:13]:
        go(page, f"account={account['account_id']}")
        WebDriverWait(page, 30).until(lambda _: facts(page).get("Account id") == account["account_id"])  # noqa: B023
        shown = facts(page)
        days = texts(page, "#lookup-card dd .quiet")
        held = [row for row in access if row["account_id"] == account["account_id"]]
        peers = [f"{row['peer_k']} of {row['peer_n']}" for row in held if row["peer_n"]]

        assert shown["Risk score"] == f"{account['risk_score']} of 100"
        assert shown["Open findings"] == account["finding_count"]
        assert shown["Groups"] == account["group_count"]
        assert f"rank {account['role_rank']}" in " ".join(days)
        assert written_ago(account["age_days"]) in days
        assert written_ago(account["days_since_seen"]) in days
        assert len(cells(page, "Roles and groups")) == len(held)
        assert sorted(
            row[2].partition("\n")[0] for row in cells(page, "Roles and groups") if row[2] != "–"
        ) == sorted(peers)


def test_an_account_shows_its_findings_reach_decisions_and_changes(page, folder):
    go(page, f"account=prod/{1:024x}")
    card_title(page)

    found = [row for row in records(folder, "findings.csv") if row["account_id"] == f"{1:024x}"]
    assert len(cells(page, "Findings")) == len(found) == 1
    held_ones = dict(row[0].partition("\n")[::2] for row in cells(page, "Roles and groups"))
    assert set(held_ones) == {"Viewer", "Payments", "Sales Team", "gone"}
    assert [name for name, said in held_ones.items() if "built-in" in said] == ["Sales Team"]
    held = {("account", f"{1:024x}"), ("group", "g1"), ("group", "g2"), ("role", "r1"), ("everyone", "everyone")}
    grants = [row for row in records(folder, "reach.csv") if (row["granted_to_type"], row["granted_to_id"]) in held]
    objects = {(row["object_type"], row["object_id"]) for row in grants}
    assert len(cells(page, "Dashboards, data models and folders")) == len(objects) > 30
    decided = {
        (row[1].partition("\n")[0], row[2].partition("\n")[0]) for row in cells(page, "Decisions of reviewers")
    }
    assert decided == {("Payments", "remove"), ("Sales Team", "open"), ("–", "open")}
    assert [row[3] for row in cells(page, "Changes made in the source")] == ["✗ not done: the access is still there"]
    assert ["role changed", "Viewer", "Admin"] in [
        [cell.partition("\n")[0] for cell in row] for row in cells(page, "Changes since the baseline")
    ]


def test_a_role_and_a_group_lead_to_everyone_who_holds_them(page):
    go(page, f"account=prod/{1:024x}")
    card_title(page)
    page.find_element(By.LINK_TEXT, "gone").click()

    wait_for_rows(page, 5)
    assert find(page, "#lookup-count").text == "5 of 120 accounts: group gone"
    find(page, "#lookup-chips button").click()
    assert find(page, "#lookup-count").text == "120 accounts"


def test_columns_sort_and_the_order_stays_in_the_address(page, folder):
    go(page, "find=accounts&q=user")
    for heading in page.find_elements(By.CSS_SELECTOR, "#lookup-results th button"):
        if heading.text.startswith("Last seen"):
            heading.click()
            break

    assert page.switch_to.active_element.text.startswith("Last seen")
    assert page.current_url.endswith("sort=seen")
    shown = texts(page, f"{ROWS} td:nth-child(5)")
    oldest = min(row["last_seen_at"] for row in records(folder, "population.csv"))
    assert shown[0].startswith(f"{int(oldest[8:10])} ")
    find(page, "th[aria-sort=ascending] button").click()
    assert find(page, "th[aria-sort=descending]").text.startswith("Last seen")


def test_findings_of_an_owner_and_overdue_ones_are_those_of_the_csv_file(page, folder):
    findings = records(folder, "findings.csv")
    owner = findings[0]["owner_email"]
    go(page, "find=findings&status=overdue")
    overdue = sum(row["overdue"] == "true" for row in findings)
    assert find(page, "#lookup-count").text == f"{overdue} of 60 findings: status overdue"
    assert all("overdue" in row for row in texts(page, ROWS))

    go(page, f"find=findings&owner={owner}")
    WebDriverWait(page, 30).until(lambda _: f"owner {owner}" in find(page, "#lookup-count").text)
    assert len(texts(page, ROWS)) == sum(row["owner_email"] == owner for row in findings)
    page.find_elements(By.CSS_SELECTOR, f"{ROWS} b a")[-1].click()
    card_title(page)
    shown = facts(page)
    [row] = [row for row in findings if row["finding_id"] == shown["Finding id"]]
    due, now = date.fromisoformat(row["due_at"]), page.find_elements(By.CSS_SELECTOR, "#lookup-card .marks .badge")
    assert shown["Due"] == f"{due.day} {due:%b %Y}"
    assert ("overdue" in [each.text for each in now]) == (row["overdue"] == "true")
    assert written_ago(row["age_days"]) in texts(page, "#lookup-card dd .quiet")


def test_figures_of_the_summary_lead_to_what_they_count(page):
    department = find(page, "#summary .departments tbody tr")
    open_findings = department.find_element(By.CSS_SELECTOR, "td:nth-last-child(2)").text
    department.find_element(By.CSS_SELECTOR, "td:nth-last-child(2) a").click()
    WebDriverWait(page, 30).until(lambda _: texts(page, ROWS))
    assert find(page, "#lookup-count").text.startswith(f"{open_findings} of 60 findings: department ")
    assert find(page, "#lookup-count").text.endswith("status open")

    go_back(page)
    WebDriverWait(page, 30).until(lambda _: texts(page, "#summary"))
    page.find_elements(By.CSS_SELECTOR, "#summary .tile")[2].find_element(By.TAG_NAME, "a").click()
    WebDriverWait(page, 30).until(lambda _: texts(page, ROWS))
    assert find(page, "#lookup-count").text == "60 of 60 findings: status open"
    [link, *_] = page.find_elements(By.CSS_SELECTOR, "#summary .sums a[href*=severity]")
    go(page, link.get_attribute("href").partition("#")[2])
    wait_for_rows(page, int(link.get_attribute("textContent")))


def test_privileged_accounts_lead_to_all_that_is_known_about_them(page):
    name = texts(page, "#privileged td b")[1]
    page.find_elements(By.CSS_SELECTOR, "#privileged td a")[1].click()

    assert card_title(page) == name
    assert texts(page, ".back") == ["← All accounts"]


def test_a_link_to_what_is_not_in_the_report_says_so(page):
    go(page, "account=prod/nobody")
    assert card_title(page) == "No account prod/nobody"
    assert "This report has no account with this id" in find(page, "#lookup-card").text
    go(page, "finding=0")
    WebDriverWait(page, 30).until(lambda _: card_title(page) == "No finding 0")


def test_a_search_that_nothing_fits_says_so_and_can_be_cleared(page):
    find(page, "#lookup-q").send_keys("nobody of that name")
    WebDriverWait(page, 30).until(lambda _: "0 of 120" in find(page, "#lookup-count").text)

    assert "No account fits." in find(page, "#lookup-results").text
    find(page, "#lookup .clear").click()
    assert page.switch_to.active_element == find(page, "#lookup-q")
    assert find(page, "#lookup-q").get_attribute("value") == ""
    assert texts(page, "#summary")


def test_a_section_of_the_report_is_shown_again_from_the_menu(page):
    go(page, "find=accounts")
    find(page, "nav a[href='#changes']").click()

    WebDriverWait(page, 30).until(lambda _: texts(page, "#changes"))
    assert 0 <= page.execute_script("return document.getElementById('changes').getBoundingClientRect().top") < 300


def test_a_phone_scrolls_the_tables_but_never_the_page(folder, chromium):
    for at in ("", "#find=accounts", "#find=findings", f"#account=prod/{1:024x}", "#finding=0000000000000001"):
        open_page(chromium, folder / "access-review.html", at, width=360)
        used = chromium.execute_script("return document.documentElement.scrollWidth")
        assert used <= 360, at


def test_an_open_account_is_printed_alone(folder, chromium):
    open_page(chromium, folder / "access-review.html", f"#account=prod/{1:024x}")
    printed = chromium.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})

    text = "\n".join(
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(base64.b64decode(printed["data"]))).pages
    )
    assert "Björn Ångström" in text
    assert "Payments" in text
    assert "Copy link" not in text
    assert "Findings by rule" not in text


def test_a_browser_that_cannot_decompress_is_told_what_to_use(folder, chromium):
    script = {"source": "delete window.DecompressionStream"}
    added = chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    try:
        chromium.get("about:blank")
        chromium.get((folder / "access-review.html").as_uri())
        WebDriverWait(chromium, 30).until(lambda _: "too old" in find(chromium, "#lookup-state").text)
        assert "population.csv has every account" in find(chromium, "#lookup-state").text
        assert texts(chromium, "#lookup form") == []
        assert texts(chromium, "#summary a, #findings a") == [], "no figure leads nowhere"
    finally:
        chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_the_data_are_the_same_bytes_twice(connection):
    assert lookup.pack(connection).data == lookup.pack(connection).data


def test_of_too_many_accounts_those_with_findings_or_privilege_are_kept(connection, chromium, tmp_path):
    connection.execute("update reports.population set privileged = true where email = 'user00119@example.com'")
    held = dataset.load(connection)
    shown = view.arrange(held, rows_shown=10, data_sha256="0" * 64)
    path = tmp_path / "few.html"
    path.write_bytes(html.render(shown, resources.templates(), lookup.pack(connection, accounts=6)))
    connection.execute("update reports.population set privileged = false where email = 'user00119@example.com'")
    open_page(chromium, path, "#find=accounts")

    assert "6 of 120 accounts can be looked up here" in find(chromium, "#lookup").text
    assert len(texts(chromium, ROWS)) == 6
    assert sum("privileged" in row for row in texts(chromium, ROWS)) == 6
    go(chromium, f"account=prod/{80:024x}")
    assert (
        "It is not among the 6 accounts of this file. population.csv has all 120."
        in find(chromium, "#lookup-card").text
    )
