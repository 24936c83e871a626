"""Makes every picture of the documentation from the demo: ``make pictures``.

It runs the demo, opens a review of it, lets a reviewer decide some items, and takes pictures of the pages in the
installed Chromium, and of the PDF files with ``pdftoppm`` (Debian: poppler-utils). All people in them are invented.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from PIL import Image
from pypdf import PdfReader
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from pipeline.clock import utc_now
from pipeline.review.answers import Answer
from pipeline.review.store import Actor, ReviewStore, StoreRefusal

__all__ = ["main"]

DOCS = Path(__file__).parents[1] / "docs"
CAMPAIGN = "2026-Q4"
OWNER = "ciso@example.com"
#: The pages to show side by side, by a heading on each: three to read, and one of the evidence.
SHEETS = (
    ("access-review", "Contents"),
    ("access-review", "Most urgent actions\nEach line"),
    ("access-review", "Findings by severity and person\n"),
    ("access-review-evidence", "Information checks\nThey describe"),
)
#: The background of the sheets, and the gap between them in pixels.
BACKGROUND, GAP = "#d8dee8", 12


def main() -> None:
    """Write the pictures to ``docs``."""
    with tempfile.TemporaryDirectory() as temporary:
        demo = Path(temporary, "demo")
        folder = Path(_run("demo", "--accounts", "500", "--out", str(demo)).splitlines()[0])
        _picture_of_sheets(folder, Path(temporary), DOCS / "report.png")
        config = ("--config", str(demo / "access-review.toml"))
        due = f"{utc_now() + timedelta(days=14):%Y-%m-%d}"
        _run(
            *config, "review", "open", "--name", CAMPAIGN, "--reviewer", "manager", "--reviewer", OWNER, "--due", due
        )
        with _page(config) as url:
            store = ReviewStore.open(demo / "out" / "campaigns" / CAMPAIGN / "review.sqlite")
            reviewer = _decide(store)
            _pictures_of_page(store, url, reviewer)
            store.close()


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "pipeline", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _picture_of_sheets(folder: Path, temporary: Path, target: Path) -> None:
    sheets = []
    for number, (name, heading) in enumerate(SHEETS):
        stem = temporary / f"sheet{number}"
        texts = (page.extract_text() for page in PdfReader(folder / f"{name}.pdf").pages)
        page = next(number for number, text in enumerate(texts, 1) if heading in text)
        pages = ["-f", str(page), "-l", str(page), "-singlefile", "-scale-to-x", "596", "-scale-to-y", "-1"]
        subprocess.run(["pdftoppm", "-png", *pages, str(folder / f"{name}.pdf"), str(stem)], check=True)
        sheets.append(Image.open(f"{stem}.png").convert("RGB"))
    width = sum(sheet.width + GAP for sheet in sheets) + GAP
    whole = Image.new("RGB", (width, sheets[0].height + 2 * GAP), BACKGROUND)
    for number, sheet in enumerate(sheets):
        whole.paste(sheet, (GAP + number * (sheet.width + GAP), GAP))
    whole.quantize(128).save(target, optimize=True)


@contextmanager
def _page(config: tuple[str, str]) -> Iterator[str]:
    """Serve the page on which reviewers decide, and yield its address."""
    command = [sys.executable, "-m", "pipeline", *config, "review", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = server.stdout.readline() if server.stdout else ""
            yield said.split(" at ")[1].strip()
        finally:
            server.terminate()


def _decide(store: ReviewStore) -> str:
    """Decide some items, as the reviewer with the most of them; return their address."""
    with sqlite3.connect(store.path) as connection:
        items = connection.execute(
            "select reviewer, item_id, card_id, recommendation from items order by attention, card_id, position"
        ).fetchall()
    reviewers = [item[0] for item in items]
    reviewer = max(sorted({*reviewers} - {OWNER}), key=reviewers.count)
    actor = Actor(reviewer, "link", "127.0.0.1")
    mine = [item for item in items if item[0] == reviewer]
    with suppress(StoreRefusal):
        store.decide(actor, mine[0][1], Answer(mine[0][3], "Has left the company"), now=utc_now())
    for _, _, card_id, _ in mine[len(mine) // 2 :]:
        with suppress(StoreRefusal):
            store.accept_recommendations(actor, card_id, now=utc_now())
    return reviewer


def _pictures_of_page(store: ReviewStore, url: str, reviewer: str) -> None:
    with _chromium() as browser:
        browser.get(f"{url}/link/{store.issue_link(reviewer, is_owner=True, valid_days=1, now=utc_now())}")
        browser.find_element(By.CSS_SELECTOR, "main button").click()
        _take(browser, f"{url}/", "review-page", (1200, 1000))
        _take(browser, f"{url}/campaign", "review-progress", (1200, 620))
        _take(browser, f"{url}/", "review-phone", (360, 1100))
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        )
        _take(browser, f"{url}/", "review-dark", (1200, 1000))


@contextmanager
def _chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


def _take(browser: webdriver.Chrome, url: str, name: str, size: tuple[int, int]) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
    )
    browser.get(url)
    file = DOCS / "pictures" / f"{name}.png"
    browser.save_screenshot(str(file))
    Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)


if __name__ == "__main__":
    main()
