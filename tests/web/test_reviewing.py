"""A reviewer decides in a real browser: by keyboard, by mouse, without JavaScript, and while the server is away."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.review.store import CardFilter
from tests.search import is_deep
from tests.web.campaigns import digest
from tests.web.pages import REVIEWER, Page, ReviewPage, follow, served_page

SECONDS = 30


@pytest.fixture
def page(tmp_path: Path) -> Iterator[ReviewPage]:
    with served_page(tmp_path, people=8) as page:
        yield page


@pytest.fixture
def browser(chromium: webdriver.Chrome, page: ReviewPage) -> Iterator[webdriver.Chrome]:
    """Return a browser of a desktop, signed in as the reviewer."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.set_window_size(1200, 900)
    page.sign_in(chromium)
    yield chromium
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    chromium.get("about:blank")
    chromium.delete_all_cookies()


def press(browser: webdriver.Chrome, keys: str) -> None:
    ActionChains(browser).send_keys(keys).perform()


def focused(browser: webdriver.Chrome) -> tuple[str, str]:
    """Return the name and the class of the element with the focus."""
    script = "const e = document.activeElement; return [e.name ?? '', e.className]"
    name, style = browser.execute_script(script)
    return name, style


def wait_for(browser: webdriver.Chrome, selector: str) -> None:
    WebDriverWait(browser, SECONDS).until(lambda b: b.find_elements(By.CSS_SELECTOR, selector))


def wait_until_saved(browser: webdriver.Chrome, number: int) -> None:
    wait = WebDriverWait(browser, SECONDS)
    wait.until(lambda b: b.execute_script("return document.getElementById('meter').value") == number)


def test_200_items_are_decided_by_keyboard_in_three_minutes(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    with served_page(tmp_path, people=40, items=5) as page:
        page.sign_in(chromium)
        began = time.monotonic()
        while page.store.progress(REVIEWER).pending:
            decide_page(chromium, page)
        taken = time.monotonic() - began

        progress = page.store.progress(REVIEWER)
        decisions = page.store.latest_decisions(limit=1000)
        chromium.get(page.url)
        said = chromium.find_element(By.TAG_NAME, "h1").text
        chromium.delete_all_cookies()

    assert (progress.items, progress.decided) == (200, 200)
    assert len(decisions) == 200, "each item was decided once"
    assert sum(decision.decision == "remove" for decision in decisions) == 1
    assert said == "All 200 items are decided"
    assert taken < 180


def decide_page(browser: webdriver.Chrome, page: ReviewPage) -> None:
    """Decide on all items of the page that is shown, as fast as the keys go, then load the next ones."""
    before = page.store.progress(REVIEWER).decided
    press(browser, "j")
    pending = browser.execute_script(
        "return [...document.querySelectorAll('.item:not(.decided)')].map(item => "
        "[Boolean(item.querySelector('[value=keep]').dataset.asks), Boolean(item.querySelector('.critical'))])"
    )
    for asks, runs in itertools.groupby(pending, key=lambda item: item[0]):
        if not asks:
            press(browser, "y" * len(list(runs)))
            continue
        for _, is_critical in runs:
            press(browser, "x" if is_critical else "y")
            wait_for(browser, ".question input[name=reason]")
            press(browser, "Still needed" + Keys.ENTER)
            WebDriverWait(browser, SECONDS).until(lambda b: not b.find_elements(By.CSS_SELECTOR, ".question"))
    wait_until_saved(browser, before + len(pending))
    if browser.find_elements(By.ID, "next-page"):
        follow(browser, "#next-page")
    else:
        browser.get(page.url)


def test_each_decision_has_a_key_and_asks_for_what_it_needs(browser: webdriver.Chrome, page: ReviewPage) -> None:
    press(browser, "nnnn" + "r")  # the role of the fourth person
    wait_for(browser, ".question select")
    press(browser, "V" + Keys.TAB + "Reads only" + Keys.ENTER)
    wait_until_saved(browser, 1)
    press(browser, "e")
    wait_for(browser, ".question input[type=email]")
    press(browser, Keys.ESCAPE + "d")
    wait_for(browser, ".question input[type=date]")
    press(browser, "12312026" + Keys.ENTER)
    wait_until_saved(browser, 2)
    press(browser, "e")
    wait_for(browser, ".question input[type=email]")
    press(browser, "cfo@example.com" + Keys.TAB + "03312027" + Keys.ENTER)
    wait_until_saved(browser, 3)

    answers = [item.answer for item in page.store.cards(REVIEWER)[0][3].items if item.answer]
    assert [(answer.decision, answer.target_role, answer.reason) for answer in answers[:1]] == [
        ("reduce", "Viewer", "Reads only")
    ]
    assert [str(answers[1].defer_until), answers[2].approver, str(answers[2].expires_on)] == [
        "2026-12-31",
        "cfo@example.com",
        "2027-03-31",
    ]


def test_a_mistake_is_shown_at_its_field_and_what_was_typed_stays(
    browser: webdriver.Chrome, page: ReviewPage
) -> None:
    press(browser, "je")
    wait_for(browser, ".question input[type=email]")
    press(browser, "not an address" + Keys.ENTER)
    wait_for(browser, ".question .error")

    approver = browser.find_element(By.CSS_SELECTOR, ".question [name=approver]")
    described = browser.find_element(By.ID, approver.get_attribute("aria-describedby") or "")
    expires = browser.find_element(By.CSS_SELECTOR, ".question [name=expires_on]")
    assert approver.get_attribute("value") == "not an address"
    assert "e-mail address" in described.text
    assert (approver.get_attribute("aria-invalid"), expires.get_attribute("aria-invalid")) == ("true", "true")
    assert focused(browser)[0] == "approver"
    assert page.store.progress(REVIEWER).decided == 0


def test_undo_takes_back_one_step_and_goes_to_its_item(browser: webdriver.Chrome, page: ReviewPage) -> None:
    press(browser, "j" * 11 + "A")  # the third person, whose items are all recommended to be kept
    wait_until_saved(browser, 5)
    assert "keep 5 items, Zoë van der Berg" in browser.find_element(By.ID, "said").text
    press(browser, "x")
    wait_until_saved(browser, 6)

    press(browser, "u")
    wait_until_saved(browser, 5)
    bulk = [item for item in page.store.cards(REVIEWER)[0][2].items if item.is_bulk]
    assert len(bulk) == 5
    assert browser.execute_script("return document.activeElement.dataset.decision") == ""

    press(browser, "u")
    wait_until_saved(browser, 0)
    assert not browser.find_element(By.CSS_SELECTOR, "form.undo").is_displayed()


def test_nothing_is_shown_as_saved_before_the_server_confirmed_it(
    browser: webdriver.Chrome, page: ReviewPage
) -> None:
    page.stop()
    press(browser, "jjjjjjx")  # the item and the one after it
    press(browser, "j")
    WebDriverWait(browser, SECONDS).until(lambda b: "not saved" in b.find_element(By.ID, "said").text)

    assert browser.find_element(By.CSS_SELECTOR, ".saving-note").text == "Not saved yet"
    assert not browser.find_elements(By.CSS_SELECTOR, ".item.decided")

    page.start()
    browser.find_element(By.CSS_SELECTOR, "#said button").click()
    wait_for(browser, ".item.decided")
    assert [decision.decision for decision in page.store.latest_decisions()] == ["remove"]
    assert not browser.find_elements(By.CSS_SELECTOR, ".saving-note")


def test_keys_can_be_switched_off_and_are_explained(browser: webdriver.Chrome, page: ReviewPage) -> None:
    press(browser, "?")
    wait_for(browser, "dialog[open]")
    listed = browser.find_element(By.ID, "keys").text
    browser.find_element(By.ID, "keys-on").click()
    browser.find_element(By.CSS_SELECTOR, "dialog button").click()
    press(browser, "j")

    assert all(word in listed for word in ("Keep", "Remove", "Reduce", "Defer", "Exception", "Undo", "Search"))
    assert "item" not in focused(browser)[1].split()
    browser.execute_script("localStorage.clear()")


def test_search_and_filters_narrow_the_list(browser: webdriver.Chrome, page: ReviewPage) -> None:
    press(browser, "/" + "angstrom" + Keys.ENTER)
    WebDriverWait(browser, SECONDS).until(lambda b: "text=" in b.current_url)
    names = [card.text for card in browser.find_elements(By.CSS_SELECTOR, ".card h3")]
    browser.get(f"{page.url}/?risk=critical&decision=any")
    risky = browser.find_elements(By.CSS_SELECTOR, ".card")

    assert [name.split("\n")[0] for name in names] == ["Björn Ångström ▲ high risk"]
    assert len(risky) == 1


def test_both_sides_of_a_conflict_stand_together(browser: webdriver.Chrome, page: ReviewPage) -> None:
    pair = browser.find_element(By.CSS_SELECTOR, ".pair")

    names = [title.text.split(" group")[0] for title in pair.find_elements(By.CSS_SELECTOR, ".title")]
    assert names == ["Finance", "Operations"]
    assert "One person should not hold Finance and Operations together." in pair.text
    marked = browser.find_elements(By.CSS_SELECTOR, ".item .badge")
    assert len(marked) == 3, "only the items at fault are marked"


def test_everything_works_without_javascript(browser: webdriver.Chrome, page: ReviewPage) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(page.url)
    risky, next_item = digest("item", 0, 0), digest("item", 0, 1)

    follow(browser, f"#i-{risky} [value=remove]")
    follow(browser, ".question .primary")  # without the reason
    problem = browser.find_element(By.CSS_SELECTOR, ".question .error").text
    browser.find_element(By.CSS_SELECTOR, ".question [name=reason]").send_keys("Has left")
    follow(browser, ".question .primary")
    assert browser.current_url.endswith(f"#i-{next_item}")
    follow(browser, f"#i-{next_item} [value=keep]")
    follow(browser, ".undo button")
    browser.get(page.url)
    follow(browser, f"#c-{digest('card', 2)} .accept button")

    items = [item for card in page.store.cards(REVIEWER)[0] for item in card.items if item.answer]
    assert problem == "A high-risk item needs a reason to remove."
    assert [(item.answer.decision, item.answer.reason, item.is_bulk) for item in items if item.answer] == [
        ("remove", "Has left", False),
        *[("keep", None, True)] * 5,
    ]


@pytest.mark.search
def test_a_phone_without_javascript_is_enough_for_all_items(chromium: webdriver.Chrome, tmp_path: Path) -> None:
    people = 40 if is_deep() else 4
    metrics = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    with served_page(tmp_path, people=people, items=5) as page:
        page.sign_in(chromium)
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        began = time.monotonic()
        chromium.get(page.url)
        while buttons := chromium.find_elements(By.CSS_SELECTOR, ".item:not(.decided) [value=keep]"):
            follow(
                chromium,
                f"#{buttons[0].find_element(By.XPATH, './ancestor::*[@id][1]').get_attribute('id')} [value=keep]",
            )
            if chromium.find_elements(By.CSS_SELECTOR, ".question"):
                chromium.find_element(By.CSS_SELECTOR, ".question [name=reason]").send_keys("Still needed")
                follow(chromium, ".question .primary")
        taken = time.monotonic() - began
        decisions = page.store.latest_decisions(limit=1000)
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        chromium.delete_all_cookies()

    assert len(decisions) == people * 5
    assert taken < 180


def test_200_items_are_decided_with_forms_alone(tmp_path: Path) -> None:
    with served_page(tmp_path, people=40, items=5) as page, closing(page.client()) as client:
        shown = Page(client.get("/").text)
        while form := shown.form("accept") or shown.form("decide"):
            shown = Page(client.post(form["action"], data=form["fields"] | {"decision": "keep"}).text)
            if question := shown.form("question"):
                shown = Page(client.post("/decide", data=question["fields"] | {"reason": "Needed"}).text)
        decisions = page.store.latest_decisions(limit=1000)

        assert len(decisions) == 200
        assert "All 200 items are decided" in shown.text
        assert page.store.cards(REVIEWER, CardFilter(decision="pending")) == ((), 0)
