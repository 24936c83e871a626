"""The HTML report in a real browser: what its reader can click, type, hear and print, and what it never does."""

from __future__ import annotations

import base64
import http.server
import io
import json
import threading

import pypdf
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser import violations
from tests.reporting.shown import card_title, find, go_back, texts

# One worker has the browser.
pytestmark = pytest.mark.xdist_group("browser")


def heading(page: webdriver.Chrome, table: str, name: str) -> WebElement:
    """Return the heading of one column of a table."""
    [found] = [cell for cell in page.find_elements(By.CSS_SELECTOR, f"{table} th") if cell.text.startswith(name)]
    return found


def requested(page: webdriver.Chrome) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    return [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]


def test_the_page_loads_nothing_else_and_logs_no_errors(show):
    page = show(findings=60)
    find(page, "#lookup-q").send_keys("angstrom")
    WebDriverWait(page, 30).until(lambda _: texts(page, "#lookup-results td a"))
    find(page, "#lookup-results th button").click()
    find(page, "#lookup-results td a").click()

    assert card_title(page) == "Björn Ångström"
    assert [url for url in requested(page) if not url.startswith("data:")] == [page.current_url.partition("#")[0]]
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
    shown = {*names[:4], "\ufffdexe.fdp"}

    page = show("#find=accounts", findings=24, admins=5, names=names, organization=names[0])

    assert set(texts(page, "#lookup-results td b")) == shown
    for place in range(5):
        page.find_elements(By.CSS_SELECTOR, "#lookup-results td b a")[place].click()
        assert card_title(page) in shown
        go_back(page)
        WebDriverWait(page, 30).until(lambda _: len(texts(page, "#lookup-results td b")) == 40)
    find(page, "nav a[href='#privileged']").click()
    WebDriverWait(page, 30).until(lambda _: texts(page, "#privileged td b"))
    assert set(texts(page, "#privileged td b")) == shown
    assert page.title == f"Access review of {names[0]}, as of 1 Nov 2026"
    assert page.execute_script("return [document.scripts.length, document.images.length]") == [2, 0]
    assert page.get_log("browser") == []


def test_a_column_sorts_up_down_and_back_to_the_order_of_the_report(show):
    page = show(findings=60, admins=30)
    column = heading(page, "#privileged", "Last seen")
    cells = "#privileged td:nth-child(5) .quiet"
    printed = texts(page, cells)

    def days() -> list[int]:
        return [int(text.split()[0]) for text in texts(page, cells) if text[0].isdigit()]

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


def test_every_link_leads_somewhere_and_the_sections_are_all_in_the_menu(show):
    page = show(findings=60)

    broken = page.execute_script(
        "return [...document.links].map(a => a.getAttribute('href')).filter(h => !h.includes('='))"
        ".filter(h => !h.startsWith('#') || !document.getElementById(h.slice(1)))"
    )
    assert broken == []
    named = texts(page, "main > section > h1")
    assert texts(page, "nav a")[1:] == named[1:]
    assert named[0].startswith(texts(page, "nav a")[0])


def test_every_control_has_a_name(show):
    page = show("#find=findings", findings=60, statuses=("open", "accepted_risk"))

    used = page.find_elements(By.CSS_SELECTOR, "a[href], button, input, select, form, table, nav, fieldset")
    used = [each for each in used if each.is_displayed()]
    assert {each.tag_name for each in used} >= {"a", "button", "input", "select", "form", "table", "nav", "fieldset"}
    assert [each.get_attribute("outerHTML") for each in used if not each.accessible_name] == []


@pytest.mark.parametrize("at", ["", "#find=accounts", "#find=findings&severity=high", "#account=prod/" + f"{1:024x}"])
def test_axe_finds_nothing(show, at):
    page = show(at, findings=60, admins=5, object_count=30, changes=12)
    found = violations(page)
    page = show(at, dark=True, findings=60, admins=5, object_count=30, changes=12)

    assert found + violations(page, "color-contrast") == []


def test_the_first_link_in_tab_order_skips_to_the_search(show):
    page = show(findings=60)

    find(page, "body").send_keys(Keys.TAB)

    assert page.switch_to.active_element.text == "Skip to the search"
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


def test_without_script_the_report_can_be_read_and_has_no_dead_controls(show, chromium, rendered):
    show(findings=60)
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.get(rendered[repr({"findings": 60})].as_uri())
        used = chromium.find_elements(By.CSS_SELECTOR, "button, input, select, [href*='=']")
        shown = [each.tag_name for each in used if each.is_displayed()]
        rows = len(chromium.find_elements(By.CSS_SELECTOR, "#findings tbody tr"))
        said = find(chromium, "#lookup").text
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    assert shown == []
    assert rows == 13 + 25, "25 of the 47 stale accounts, and all others"
    assert "needs JavaScript" in said
    assert "population.csv" in said


def test_printing_has_no_controls_and_prints_what_is_open(show):
    page = show(media="print", dark=True, findings=60)
    assert texts(page, "nav, form, .skip") == []
    assert page.execute_script("return getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert "Summary" in texts(page, "main h1")

    page = show("#find=accounts&q=angstrom", media="print", findings=60)
    assert texts(page, "form, button") == []
    assert len(texts(page, "#lookup-results tbody tr")) == 3
    assert texts(page, "#lookup-count") == ["3 of 40 accounts: “angstrom”"]
    assert texts(page, "#summary, #findings") == []


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
    assert "There are no open findings" in text
    assert "No account has a role with administrative rights" in text
    assert "No rule has findings" in text
    assert page.get_log("browser") == []
