"""The page of a campaign that was signed off while reviewers had it open: it can be read, and changes nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pipeline.review.answers import Answer
from pipeline.review.store import Actor
from tests.web.campaigns import REVIEWER, digest
from tests.web.pages import NOW, Page, served_page


def test_a_signed_off_campaign_can_be_read_and_no_longer_changed(tmp_path: Path) -> None:
    with served_page(tmp_path, people=3, items=2) as page, closing(page.client()) as client:
        page.store.decide(Actor(REVIEWER, "link"), digest("item", 1, 0), Answer("remove", "Not needed"), now=NOW)
        kept = Page(client.get("/").text).form("accept")
        assert kept is not None
        saved = Page(client.post("/accept", data=kept["fields"]).text)
        assert "Saved: keep 2 items, " in saved.text
        undo = next(form for form in saved.forms if form["action"] == "/undo")
        assert "Taken back: " in Page(client.post("/undo", data=undo["fields"]).text).text
        form = Page(client.get("/").text).form("decide")
        assert form is not None
        with page.store.writing() as connection:
            connection.execute("update campaign set closed_at = '2026-11-29T11:00:00.000000'")

        refused = client.post("/decide", data=form["fields"] | {"decision": "remove", "reason": "Late"})
        shown = Page(client.get("/?decision=any").text)

        assert refused.status_code == 409
        assert "This campaign was signed off" in refused.text
        assert "This campaign was signed off on 29 Nov 2026." in shown.text
        assert "Remove · “Not needed”" in shown.text
        assert {form["action"] for form in shown.forms if form["action"]} == {"/sign-out", "/"}, "no form decides"
        assert len(page.store.latest_decisions()) == 5
