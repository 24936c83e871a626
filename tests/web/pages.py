"""The page of an invented campaign, served on loopback, with a browser or a client that is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.review.store import ReviewStore
from pipeline.settings import load_settings
from pipeline.web.app import create_app
from pipeline.web.entrance import guarded
from pipeline.web.origin import PublicOrigin
from tests.web.campaigns import OWNER, REVIEWER, make_store
from tests.web.served import Served

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CONFIGURATION = """
[organization]
name = "Example Corp"
email_domains = ["example.com"]

[sources.prod]
kind = "sisense"
url = "https://sisense.example.com"
username = "reader"

[web]
base_url = "{url}"
owners = ["ciso@example.com"]
"""


class ReviewPage:
    """A page that is served, and the store behind it."""

    def __init__(self, folder: Path, store: ReviewStore) -> None:
        self.folder, self.store = folder, store
        self.port = 0
        self.url = ""
        self._served: Served | None = None

    def start(self) -> None:
        """Serve the page, at the same port as before."""
        served = Served(port=self.port)
        self.port, self.url = served.port, served.url
        path = self.folder / "access-review.toml"
        path.write_text(CONFIGURATION.format(url=self.url))
        app = create_app(self.store, load_settings(path), {}, clock=lambda: NOW)
        origin = PublicOrigin.of("2026-Q4", ("127.0.0.1", served.port), base_url=self.url, is_tls=False)
        served.app = guarded(app, origin)
        self._served = served.__enter__()

    def stop(self) -> None:
        if self._served is not None:
            self._served.__exit__(None, None, None)
            self._served = None

    def link(self, email: str = REVIEWER, *, is_owner: bool = False) -> str:
        token = self.store.issue_link(email, is_owner=is_owner, valid_days=1, now=NOW)
        return f"{self.url}/link/{token}"

    def sign_in(self, browser: webdriver.Chrome, email: str = REVIEWER, *, is_owner: bool = False) -> None:
        """Open the link of a mail, and press its button."""
        browser.get(self.link(email, is_owner=is_owner))
        follow(browser, "main button")

    def client(self, email: str = REVIEWER, *, is_owner: bool = False) -> httpx.Client:
        """Return a client without JavaScript that is signed in."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, headers={"Origin": self.url})
        link = self.link(email, is_owner=is_owner)
        [form] = [form for form in Page(client.get(link).text).forms if form["action"] == "/link"]
        client.post("/link", data=form["fields"])
        return client


def follow(browser: webdriver.Chrome, selector: str) -> None:
    """Click on what leads to another page, in the middle of the window, and wait for that page."""
    document = browser.find_element(By.TAG_NAME, "html")
    element = browser.find_element(By.CSS_SELECTOR, selector)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()
    # The driver may ask for a node while the document changes, which is an error of its own kind.
    WebDriverWait(browser, 60, 0.05, [WebDriverException]).until(staleness_of(document))


@contextmanager
def served_page(folder: Path, people: int = 40, items: int = 5) -> Iterator[ReviewPage]:
    """Serve a campaign of so many people, with so many items each."""
    page = ReviewPage(folder, make_store(folder / "review.sqlite", people, items))
    page.start()
    try:
        yield page
    finally:
        page.stop()
        page.store.close()


class Page(HTMLParser):
    """A page as a program without JavaScript reads it: its forms, with the buttons of each, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append(
                {"action": given.get("action"), "class": given.get("class"), "fields": {}, "is_decided": False}
            )
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1]["fields"][given["name"]] = given.get("value") or ""
        elif tag == "button" and self.forms and given.get("name"):
            self.forms[-1]["is_decided"] |= "aria-pressed" in given

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self._words))

    def form(self, name: str) -> dict[str, Any] | None:
        """Return the first form of a class that waits for a decision, or None."""
        return next((form for form in self.forms if form["class"] == name and not form["is_decided"]), None)


__all__ = ["NOW", "OWNER", "REVIEWER", "Page", "ReviewPage", "follow", "served_page"]
