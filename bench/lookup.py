"""The HTML file of 20,000 accounts: its size, the time to write it, and how fast it opens in Chromium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from bench.annex import built
from bench.harness import Row, in_child
from pipeline.warehouse import database

#: Names and times that repeat as little as in life: those of the copied accounts would compress too well.
_UNLIKE = """
update reports.population set
    display_name = display_name || ' ' || substr(sha256(account_id), 1, 6),
    email = substr(sha256(account_id), 1, 6) || '.' || email,
    user_name = substr(sha256(account_id), 1, 6) || '.' || user_name,
    created_at = created_at - to_seconds(hash(account_id) % 50000000),
    last_login_at = last_login_at - to_seconds(hash(account_id || 'l') % 80000),
    last_activity_at = last_activity_at - to_seconds(hash(account_id || 'a') % 80000),
    last_seen_at = last_seen_at - to_seconds(hash(account_id || 's') % 80000)
"""
#: Milliseconds from the start of the navigation until accounts can be looked up; null before.
_READY = "return performance.getEntriesByName('lookup-ready')[0]?.startTime ?? null"
_PAINTED = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
#: Types a name and measures until the list is drawn. The page waits for a pause in typing before it searches.
_SEARCH = """
const done = arguments[0], field = document.getElementById("lookup-q"), began = performance.now();
const results = document.getElementById("lookup-results");
new MutationObserver(() => done(performance.now() - began)).observe(results, { childList: true });
field.value = "nagy";
field.dispatchEvent(new Event("input", { bubbles: true }));
"""


def run(quick: bool, folder: Path) -> list[Row]:
    accounts, rounds = (2_000, 2) if quick else (20_000, 7)
    work = folder / f"lookup-{accounts}"
    shutil.copytree(built(folder, accounts), work)
    with database.writing(work / "bench.duckdb", notify=print) as connection:
        connection.execute(_UNLIKE)
    writing = [in_child("html_file", str(work)) for _ in range(2 if quick else 3)]
    page = work / "access-review.html"
    opening, painting, searching = [], [], []
    with _browser() as browser:
        for _ in range(rounds):
            browser.get("about:blank")
            browser.get(page.as_uri())
            opening.append(_waited(browser, _READY))
            painting.append(_waited(browser, _PAINTED))
            searching.append(float(browser.execute_async_script(_SEARCH)))
    described = f"the HTML file, {accounts:,} accounts"
    megabytes = page.stat().st_size / 1e6
    return [
        Row(
            f"{described}: opened, ready to search",
            "Chromium, the clock",
            opening,
            "ms",
            2000,
            f"painted after {min(painting):.0f} ms",
        ),
        Row(
            f"{described}: a search",
            "Chromium, the clock",
            searching,
            "ms",
            None,
            "120 ms of it are the pause in typing that is waited for",
        ),
        Row(f"{described}: size", "12 MB", [megabytes], "MB", 12),
        Row(
            f"{described}: written",
            "the clock",
            [each["seconds"] for each in writing],
            "s",
            None,
            f"{max(each['peak_mb'] for each in writing):.0f} MB",
        ),
    ]


@contextmanager
def _browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
    )
    with tempfile.TemporaryDirectory() as profile:
        for argument in (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(argument)
        browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        browser.set_script_timeout(60)
        try:
            yield browser
        finally:
            browser.quit()


def _waited(browser: webdriver.Chrome, script: str) -> float:
    while (value := browser.execute_script(script)) is None:
        pass
    return float(value)
