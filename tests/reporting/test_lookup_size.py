"""The HTML report of as many accounts as it may hold: its size, and what it finds."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import duckdb
import orjson
import pytest
from selenium.webdriver.support.ui import WebDriverWait

from pipeline import resources
from pipeline.reporting import dataset, html, lookup, view
from tests.reporting.conftest import fill
from tests.reporting.shown import card_title, find, open_page, texts

# One worker has the browser.
pytestmark = pytest.mark.xdist_group("browser")


def test_twenty_thousand_accounts_fit_in_twelve_megabytes(chromium, tmp_path):
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, accounts=1, findings=8, admins=1, object_count=200)
        for text in Path(__file__).with_name("many.sql").read_text(encoding="utf-8").split(";\n"):
            connection.execute(text)
        packed = lookup.pack(connection)
        shown = view.arrange(dataset.load(connection), rows_shown=10, data_sha256="0" * 64)
        path = tmp_path / "many.html"
        path.write_bytes(html.render(shown, resources.templates(), packed))
        [account] = connection.execute(
            "select account_id, display_name, days_since_seen, risk_score"
            " from reports.population order by account_id desc limit 1"
        ).fetchall()

    assert packed.accounts == packed.accounts_total == 20_000
    assert path.stat().st_size < 12_000_000
    assert len(orjson.loads(gzip.decompress(base64.b64decode(packed.data)))["access"]["plain"]["account"]) > 99_000
    open_page(chromium, path, f"#account=prod/{account[0]}")
    assert card_title(chromium) == account[1]
    assert f"{account[3]} of 100" in texts(chromium, "#lookup-card dd")
    assert f"{account[2]:,} days ago" in texts(chromium, "#lookup-card dd .quiet")
    find(chromium, "#lookup-q").send_keys(account[0])
    WebDriverWait(chromium, 30).until(lambda _: len(texts(chromium, "#lookup-results tbody tr")) == 1)
