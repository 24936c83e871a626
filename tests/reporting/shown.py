"""The HTML report of a synthetic database in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.reporting.sealing import write

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

    def opened(
        at: str = "", *, width: int = 1280, dark: bool = False, media: str = "", **rows: Any
    ) -> webdriver.Chrome:
        if repr(rows) not in rendered:
            folder = tmp_path_factory.mktemp("report")
            rendered[repr(rows)] = write(database(**rows), folder, "html").folder / "access-review.html"
        open_page(chromium, rendered[repr(rows)], at, width=width, dark=dark, media=media)
        return chromium

    return opened


def open_page(
    browser: webdriver.Chrome, path: Path, at: str = "", *, width: int = 1280, dark: bool = False, media: str = ""
) -> None:
    """Open a report at an address within it, and wait for its data."""
    browser.get("about:blank")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": scheme})
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri() + at)
    wait_for_data(browser)


def wait_for_data(browser: webdriver.Chrome) -> None:
    """Wait until accounts can be looked up."""
    ready = "return !document.getElementById('lookup-form').hidden"
    WebDriverWait(browser, 30, poll_frequency=0.05).until(lambda page: page.execute_script(ready))


def find(page: webdriver.Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def texts(page: webdriver.Chrome, selector: str) -> list[str]:
    """Return the texts of what is visible, in the order of the page."""
    read = (
        "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).map(e => e.innerText)"
    )
    return list(page.execute_script(read, selector))


def card_title(page: webdriver.Chrome) -> str:
    """Return the title of the account or finding that is opened, which follows the click on its link."""
    WebDriverWait(page, 30, poll_frequency=0.05).until(lambda _: texts(page, "#card-title"))
    return texts(page, "#card-title")[0]


def go_back(browser: webdriver.Chrome) -> None:
    """Go back, and wait until the browser knows it: the next step back starts from the page that it knows."""
    address = browser.current_url
    browser.back()
    WebDriverWait(browser, 30).until(lambda _: browser.current_url != address)
