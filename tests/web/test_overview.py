"""The owner of a campaign sees its progress and its decisions, and hands items over, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.review.answers import Answer
from pipeline.review.store import Actor
from tests.web.campaigns import COLLEAGUE, OWNER, REVIEWER, digest
from tests.web.pages import NOW, ReviewPage, follow, served_page


@pytest.fixture
def page(tmp_path: Path) -> Iterator[ReviewPage]:
    with served_page(tmp_path, people=5, items=3) as page:
        yield page


@pytest.fixture
def owner(chromium: webdriver.Chrome, page: ReviewPage) -> Iterator[webdriver.Chrome]:
    page.sign_in(chromium, OWNER, is_owner=True)
    yield chromium
    chromium.get("about:blank")
    chromium.delete_all_cookies()


def test_an_owner_arrives_at_the_progress_and_sees_decisions_come(owner: webdriver.Chrome, page: ReviewPage) -> None:
    arrived = owner.find_element(By.TAG_NAME, "h1").text
    owner.get(f"{page.url}/campaign/decisions")
    empty = owner.find_element(By.TAG_NAME, "main").text
    page.store.decide(Actor(REVIEWER, "link", "127.0.0.1"), digest("item", 0, 0), Answer("remove", "Left"), now=NOW)
    WebDriverWait(owner, 30).until(lambda b: b.find_elements(By.CSS_SELECTOR, "table.log tbody tr"))
    row = owner.find_element(By.CSS_SELECTOR, "table.log tbody tr").text

    assert arrived == "0 of 15 items are decided"
    assert "There is no decision yet." in empty
    assert all(word in row for word in ("29 Nov 2026 12:00 UTC", REVIEWER, "remove", "Ada Lovelace", "Left", "link"))


def test_an_owner_hands_chosen_items_over(owner: webdriver.Chrome, page: ReviewPage) -> None:
    owner.get(f"{page.url}/campaign/reassign?from={REVIEWER}")
    follow(owner, "form.reassign .primary")
    problems = [each.text for each in owner.find_elements(By.CSS_SELECTOR, ".error")]
    owner.find_element(By.ID, "to").send_keys(COLLEAGUE)
    owner.find_element(By.ID, "reason").send_keys("On leave")
    owner.find_element(By.CSS_SELECTOR, "[value=chosen]").click()
    for item in (digest("item", 0, 0), digest("item", 1, 2)):
        owner.find_element(By.NAME, f"item-{item}").click()
    follow(owner, "form.reassign .primary")
    said = owner.find_element(By.CSS_SELECTOR, ".notice").text

    assert len(problems) == 2
    assert said.startswith(f"2 items handed to {COLLEAGUE}.")
    assert [page.store.progress(each).items for each in (REVIEWER, COLLEAGUE)] == [13, 2]
    item = page.store.item(COLLEAGUE, digest("item", 0, 0))
    assert item is not None
    assert item.original_reviewer_email == REVIEWER


def test_a_reviewer_does_not_reach_the_pages_of_owners(chromium: webdriver.Chrome, page: ReviewPage) -> None:
    page.sign_in(chromium)
    for path in ("/campaign", "/campaign/decisions", "/campaign/reassign"):
        chromium.get(page.url + path)
        assert "for the owners" in chromium.find_element(By.TAG_NAME, "h1").text
    links = [link.text for link in chromium.find_elements(By.CSS_SELECTOR, "nav a")]
    chromium.delete_all_cookies()

    assert links == ["My review", "Help"]
