"""The HTML report in a real browser: what its reader can click, type, hear and print, and what it never does."""

from __future__ import annotations

import base64
import http.server
import io
import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pypdf
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from pipeline.reporting import report
from tests.rules import rule

EMPTY_GROUP = rule("Empty group")
LEAVER_ACTIVE = rule("Leaver still active")
STALE_ACCOUNT = rule("Stale account")

# One worker has the browser.
pytestmark = pytest.mark.xdist_group("browser")

Show = Callable[..., webdriver.Chrome]


@pytest.fixture(scope="session")
def rendered() -> dict[str, Path]:
    """Hold what was rendered, by the rows asked for: rendering takes longer than most tests."""
    return {}


@pytest.fixture
def show(
    database: Callable[..., duckdb.DuckDBPyConnection],
    chromium: webdriver.Chrome,
    rendered: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Show:
    """Give a function that opens the report of a database with these rows, and forgets what was logged before."""

    def opened(*, width: int = 1280, dark: bool = False, media: str = "", **rows: Any) -> webdriver.Chrome:
        if repr(rows) not in rendered:
            folder = tmp_path_factory.mktemp("report")
            written = report.write(database(**rows), folder, frozenset({"html"}), lambda _: None)
            rendered[repr(rows)] = written.folder / "access-review.html"
        chromium.get("about:blank")
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": scheme})
        chromium.get_log("browser")
        chromium.get_log("performance")
        chromium.get(rendered[repr(rows)].as_uri())
        return chromium

    return opened


def find(page: webdriver.Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def texts(page: webdriver.Chrome, selector: str) -> list[str]:
    """Return the texts of what is visible, in the order of the page."""
    read = (
        "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).map(e => e.innerText)"
    )
    return list(page.execute_script(read, selector))


def heading(page: webdriver.Chrome, rule: str, name: str) -> WebElement:
    """Return the heading of one column of a rule's table."""
    [found] = [
        cell
        for cell in page.find_elements(By.CSS_SELECTOR, f"table[aria-labelledby=rule-{rule}] th")
        if cell.text.startswith(name)
    ]
    return found


def requested(page: webdriver.Chrome) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    return [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]


def test_the_page_loads_nothing_else_and_logs_no_errors(show):
    page = show(findings=60)
    find(page, "#findings input[type=search]").send_keys("finance")
    find(page, "#findings th button").click()

    assert [url for url in requested(page) if not url.startswith("data:")] == [page.current_url]
    assert page.get_log("browser") == []


def test_the_page_cannot_send_any_request(show):
    """The policy is what holds, not only that the page does not try: an image, a request and a script are tried."""
    seen = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_error(404)

    with http.server.HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = show(findings=60)
        page.execute_script(
            "new Image().src = arguments[0]; fetch(arguments[0]).catch(() => {});"
            "const script = document.createElement('script'); script.textContent = 'window.ran = true';"
            "document.body.append(script)",
            f"http://127.0.0.1:{server.server_port}/",
        )
        refused = page.execute_async_script("setTimeout(arguments[0], 300, window.ran === undefined)")
        server.shutdown()

    assert refused
    assert seen == []
    assert "Content Security Policy" in page.get_log("browser")[0]["message"]


def test_hostile_names_are_text(show):
    names = (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "</style></script><b onclick=alert(1)>",
        "{{ 7 * 7 }}",
        "\u202eexe.fdp",
    )

    page = show(findings=24, admins=5, names=names, organization=names[0])

    assert set(texts(page, "#privileged td b")) == {*names[:4], "\ufffdexe.fdp"}
    assert page.title == f"Access review of {names[0]}, as of 1 Nov 2026"
    assert page.execute_script("return [document.scripts.length, document.images.length]") == [1, 0]
    assert page.get_log("browser") == []


def test_a_column_sorts_up_down_and_back_to_the_order_of_the_report(show):
    page = show(findings=60)
    column = heading(page, STALE_ACCOUNT, "Last seen")
    cells = f"table[aria-labelledby=rule-{STALE_ACCOUNT}] td.date .quiet"
    printed = texts(page, cells)

    def days() -> list[int]:
        return [int(text.split()[0]) for text in texts(page, cells)]

    button = column.find_element(By.TAG_NAME, "button")
    button.click()
    assert column.get_attribute("aria-sort") == "ascending"
    assert days() == sorted(days(), reverse=True)
    button.send_keys(Keys.ENTER)
    assert column.get_attribute("aria-sort") == "descending"
    assert days() == sorted(days())
    button.send_keys(Keys.SPACE)
    assert column.get_attribute("aria-sort") == "none"
    assert texts(page, cells) == printed
    assert days() != sorted(days())


def test_severities_sort_by_order_and_numbers_by_value(show):
    page = show(findings=60, admins=30)
    heading(page, STALE_ACCOUNT, "Severity").find_element(By.TAG_NAME, "button").click()
    find(page, "#rules th:nth-child(3) button").click()

    severities = [
        text.split()[-1] for text in texts(page, f"table[aria-labelledby=rule-{STALE_ACCOUNT}] td:last-child")
    ]
    populations = [int(text) for text in texts(page, "#rules td:nth-child(3)")]
    assert [name for name, _ in itertools.groupby(severities)] == ["high", "medium"]
    assert populations == sorted(populations)
    assert max(populations) > 9


def test_a_word_filters_the_findings_of_every_rule_whatever_its_accents(show):
    page = show(findings=60)

    find(page, "#findings input[type=search]").send_keys("angstrom FIELD")

    shown = texts(page, "#findings tbody tr")
    assert shown
    assert all("Björn Ångström" in row and "Field Sales" in row for row in shown)
    assert find(page, "#findings output").text == f"{len(shown)} of 60 rows shown"
    # A rule that has nothing left to show is gone with its heading.
    assert len(texts(page, "#findings article h2")) == len(texts(page, "#findings article table"))
    assert len(texts(page, "#privileged tbody tr")) == 3


def test_a_rule_id_filters_to_that_rule(show):
    page = show(findings=60)

    find(page, "#findings input[type=search]").send_keys(LEAVER_ACTIVE)

    assert texts(page, "#findings h2") == ["Leaver still active"]


def test_severities_and_statuses_can_be_hidden_and_shown(show):
    page = show(findings=60, statuses=("open", "accepted_risk"))
    find(page, "#findings input[value=medium]").click()
    find(page, "#findings input[value='accepted risk']").click()

    rows = texts(page, "#findings tbody tr")
    assert rows
    assert not any("medium" in row or "accepted risk" in row for row in rows)

    find(page, "#findings button.clear").click()

    assert len(texts(page, "#findings tbody tr")) == 60
    assert find(page, "#findings output").text == "60 rows"
    assert page.switch_to.active_element == find(page, "#findings input[type=search]")


def test_a_filter_that_nothing_matches_says_so(show):
    page = show(findings=60)

    find(page, "#findings input[type=search]").send_keys("nobody of that name")

    assert find(page, "#findings output").text == "0 of 60 rows shown"
    assert texts(page, "#findings article") == []


def test_a_filter_says_how_many_findings_are_not_on_the_page(show):
    page = show(findings=1400)

    find(page, "#findings input[type=search]").send_keys("nobody of that name")

    assert find(page, "#findings output").text == "0 of 1,300 rows shown; 100 more are only in findings.csv"


def test_a_link_to_a_rule_that_is_filtered_away_shows_it_again(show):
    page = show(findings=60)
    find(page, "#findings input[type=search]").send_keys(EMPTY_GROUP)
    assert texts(page, "#findings h2") == ["Empty group"]

    find(page, f"#summary a[href='#rule-{LEAVER_ACTIVE}']").send_keys(Keys.ENTER)

    assert "Leaver still active" in texts(page, "#findings h2")
    assert find(page, "#findings input[type=search]").get_attribute("value") == ""


def test_every_link_leads_somewhere_and_the_sections_are_all_in_the_menu(show):
    page = show(findings=60)

    broken = page.execute_script(
        "return [...document.links].map(a => a.getAttribute('href'))"
        ".filter(h => !h.startsWith('#') || !document.getElementById(h.slice(1)))"
    )
    assert broken == []
    assert texts(page, "nav a") == texts(page, "main > section > h1")


def test_every_control_has_a_name(show):
    page = show(findings=60, statuses=("open", "accepted_risk"))

    used = page.find_elements(
        By.CSS_SELECTOR, "a[href], button:not([hidden]), input, form, table, svg, nav, fieldset"
    )
    assert {each.tag_name for each in used} >= {"a", "button", "input", "form", "table", "svg", "nav", "fieldset"}
    assert [each.get_attribute("outerHTML") for each in used if not each.accessible_name] == []


def test_the_first_link_in_tab_order_skips_to_the_summary(show):
    page = show(findings=60)

    find(page, "body").send_keys(Keys.TAB)

    assert page.switch_to.active_element.text == "Skip to the summary"
    assert page.switch_to.active_element.location["x"] == 0


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_enough_contrast(show, dark):
    """Against the threshold of WCAG 2.2 AA for text of ordinary size."""
    page = show(dark=dark, findings=60, completeness="PARTIAL", reason="the server counts 12 accounts more")

    grounds, faint = page.execute_script("""
        const channels = (c) => c.match(/[\\d.]+/g).map(Number);
        const light = (c) => {
          const [r, g, b] = c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (e) => {
          for (; e; e = e.parentElement) {
            const c = channels(getComputedStyle(e).backgroundColor);
            if (c.length === 3 || c[3] > 0) return c;
          }
        };
        const faint = new Set(), grounds = new Set();
        for (const e of document.querySelectorAll("body *")) {
          if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
          const style = getComputedStyle(e), behind = ground(e);
          const drawn = e.namespaceURI.endsWith("svg") ? style.fill : style.color;
          const [a, b] = [light(channels(drawn)), light(behind)].sort((x, y) => y - x);
          grounds.add(String(behind));
          if ((a + 0.05) / (b + 0.05) < 4.5) faint.add(`${e.tagName} ${e.className} ${drawn} on ${behind}`);
        }
        return [[...grounds], [...faint]];
    """)
    assert faint == []
    assert ("16,22,31" in grounds) == dark


def test_a_narrow_window_scrolls_the_tables_by_keyboard_but_never_the_page(show):
    page = show(width=360, findings=24, names=("W" * 60,))

    room, used = page.execute_script(
        "const { clientWidth, scrollWidth } = document.body; return [clientWidth, scrollWidth]"
    )
    assert used == room <= 360
    wide = page.execute_script("return [...document.querySelectorAll('.scroll')].map((box) => box.tabIndex)")
    assert set(wide) == {0}


def test_without_script_the_report_is_complete_and_has_no_dead_controls(show, chromium):
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page = show(findings=60)
        assert len(page.find_elements(By.CSS_SELECTOR, "#findings tbody tr")) == 60
        assert page.find_elements(By.CSS_SELECTOR, "button, input") == []
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_printing_has_no_controls_and_states_an_active_filter(show):
    page = show(media="print", dark=True, findings=60)
    assert texts(page, "nav, form, .skip") == []
    assert page.execute_script("return getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )

    page.execute_script(
        f"const field = document.querySelector('#findings input'); field.value = '{LEAVER_ACTIVE}';"
        "field.dispatchEvent(new Event('input', {bubbles: true}))"
    )

    assert texts(page, "form input") == []
    assert texts(page, "form output") == ["3 of 60 rows shown"]


def test_the_mark_of_an_incomplete_population_stays_visible_while_scrolling(show):
    page = show(findings=60, completeness="PARTIAL", reason="the server counts 12 accounts more")

    page.execute_script("window.scrollTo(0, document.documentElement.scrollHeight)")

    assert find(page, ".mark").text == "NOT COMPLETE"
    assert page.execute_script("return document.querySelector('.mark').getBoundingClientRect().top") == 0
    assert "the server counts 12 accounts more" in find(page, "header").text


def test_every_printed_page_says_that_the_population_is_incomplete(show):
    page = show(findings=60, completeness="PARTIAL", reason="the server counts 12 accounts more")

    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})

    pages = pypdf.PdfReader(io.BytesIO(base64.b64decode(printed["data"]))).pages
    assert len(pages) > 5
    assert all("NOT COMPLETE" in each.extract_text() for each in pages)


def test_a_report_without_findings_says_so_in_sentences(show):
    page = show(findings=0, admins=0, accounts=0)

    text = find(page, "main").text
    assert "No account is in scope" in text
    assert "there are no open findings" in text
    assert "No account has a role with administrative rights" in text
    assert "No rule has findings" in text
    assert page.get_log("browser") == []
