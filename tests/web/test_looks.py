"""The pages as people see them: in light and dark, at the width of a phone, by a screen reader, on paper."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterator

import pypdf
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.review.answers import Answer
from pipeline.review.store import Actor
from tests.browser import violations
from tests.web.campaigns import OWNER, REVIEWER, digest
from tests.web.pages import NOW, ReviewPage, served_page

RISKY, PERSON = digest("item", 0, 0), digest("card", 0)
#: Everything that a signed-in reviewer, who owns the campaign too, can open.
PATHS = (
    "/",
    "/?decision=any",
    "/?text=nothing+matches",
    f"/people/{PERSON}",
    f"/people/{PERSON}?item_id={RISKY}&decision=reduce",
    f"/people/{PERSON}?item_id={RISKY}&decision=exception",
    "/help",
    "/campaign",
    "/campaign/decisions",
    f"/campaign/reassign?from={REVIEWER}",
    "/campaign/refusals",
    "/no/such/page",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewPage]:
    with served_page(tmp_path_factory.mktemp("looks"), people=26, items=2) as page:
        actor = Actor(REVIEWER, "link", "127.0.0.1")
        page.store.decide(actor, RISKY, Answer("remove", "Has left"), now=NOW)
        page.store.accept_recommendations(actor, digest("card", 2), now=NOW)
        page.store.record_refusal("csrf", "POST /decide", "127.0.0.1", NOW)
        yield page


@pytest.fixture(scope="module")
def browser(chromium: webdriver.Chrome, page: ReviewPage) -> Iterator[webdriver.Chrome]:
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    page.sign_in(chromium, REVIEWER, is_owner=True)
    chromium.set_script_timeout(120)
    yield chromium
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get("about:blank")
    chromium.delete_all_cookies()


def set_scheme(browser: webdriver.Chrome, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})


def set_width(browser: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def test_axe_finds_nothing_serious_on_any_page(browser: webdriver.Chrome, page: ReviewPage) -> None:
    set_width(browser, 1200)
    found = {}
    for path in PATHS:
        browser.get(page.url + path)
        set_scheme(browser, "light")
        found[path] = violations(browser)
        set_scheme(browser, "dark")
        found[path] += violations(browser, "color-contrast")
    browser.get(page.url)
    ActionChains(browser).send_keys("?").perform()
    found["keys"] = violations(browser)
    set_scheme(browser, "light")

    assert {path: problems for path, problems in found.items() if problems} == {}


def test_axe_finds_nothing_serious_before_signing_in(chromium: webdriver.Chrome, page: ReviewPage) -> None:
    link = page.link(OWNER)
    cookies = chromium.get_cookies()
    chromium.delete_all_cookies()
    found = {}
    for url in (link, f"{page.url}/sign-in", f"{page.url}/link/{'x' * 120}"):
        chromium.get(url)
        found[url] = violations(chromium)
    for cookie in cookies:
        chromium.add_cookie(cookie)

    assert {url: problems for url, problems in found.items() if problems} == {}


def test_a_phone_needs_no_scrolling_to_the_side(browser: webdriver.Chrome, page: ReviewPage) -> None:
    set_width(browser, 360)
    wide = {}
    small = {}
    for path in PATHS:
        browser.get(page.url + path)
        wide[path] = browser.execute_script("return document.documentElement.scrollWidth")
        small[path] = browser.execute_script(
            "return [...document.querySelectorAll('.decide button')].filter(b => b.offsetHeight < 44).length"
        )
    set_width(browser, 1200)

    assert {path: width for path, width in wide.items() if width > 360} == {}
    assert set(small.values()) == {0}, "buttons are large enough for a thumb"


#: Words on buttons that are broken over two lines.
BROKEN_WORDS = """
return [...document.querySelectorAll("button, .button")].flatMap((button) => {
  const found = [], texts = document.createTreeWalker(button, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (texts.nextNode()) for (const { 0: word, index } of texts.currentNode.data.matchAll(/\\S+/g)) {
    range.setStart(texts.currentNode, index);
    range.setEnd(texts.currentNode, index + word.length);
    if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) found.push(word);
  }
  return found;
});
"""


def test_a_phone_breaks_no_word_on_a_button(browser: webdriver.Chrome, page: ReviewPage) -> None:
    set_width(browser, 390)
    broken = {}
    for path in PATHS:
        browser.get(page.url + path)
        if words := browser.execute_script(BROKEN_WORDS):
            broken[path] = words
    assert broken == {}


def test_a_page_has_its_landmarks_and_headings_in_order(browser: webdriver.Chrome, page: ReviewPage) -> None:
    for path in PATHS:
        browser.get(page.url + path)
        levels = [int(each.tag_name[1]) for each in browser.find_elements(By.CSS_SELECTOR, "h1, h2, h3, h4")]
        landmarks = [len(browser.find_elements(By.TAG_NAME, name)) for name in ("main", "header", "h1")]

        assert levels[0] == 1, path
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), path
        assert (landmarks[0], landmarks[2]) == (1, 1)
        assert browser.execute_script("return document.documentElement.lang") == "en"


def test_paper_has_the_facts_and_decisions_without_buttons(browser: webdriver.Chrome, page: ReviewPage) -> None:
    browser.get(f"{page.url}/people/{PERSON}")
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    reader = pypdf.PdfReader(io.BytesIO(base64.b64decode(printed["data"])))
    text = " ".join(" ".join(sheet.extract_text() for sheet in reader.pages).split())

    assert "Ada Lovelace" in text
    assert "Remove · “Has left”" in text
    assert "Sign out" not in text
    assert "Undo" not in text
    assert "Defer" not in text


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(browser: webdriver.Chrome, page: ReviewPage) -> None:
    browser.get_log("browser")
    browser.get(page.url)
    WebDriverWait(browser, 30).until(lambda b: b.execute_script("return document.fonts.status") == "loaded")
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")

    assert {url.rpartition("/")[0] for url in loaded} == {f"{page.url}/static"}
    assert len(loaded) == 4, "the style, the script and two fonts"
    assert browser.find_elements(By.CSS_SELECTOR, "[style], style, script:not([src])") == []
    assert browser.get_log("browser") == [], "the policy refused something"
