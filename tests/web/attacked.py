"""A page under attack: served over HTTP or HTTPS on loopback, with a clock to move and a store to look into."""

from __future__ import annotations

import dataclasses
import re
import sqlite3
import ssl
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import httpx

from pipeline.clock import utc_now
from pipeline.review.store import ReviewStore
from pipeline.settings import MailSettings, Settings, WebSettings
from pipeline.web.app import create_app
from pipeline.web.attempts import AttemptLimits
from pipeline.web.entrance import guarded
from pipeline.web.origin import PublicOrigin
from tests.web.campaigns import COLLEAGUE, OWNER, REVIEWER, make_store
from tests.web.served import Served

__all__ = ["COLLEAGUE", "OWNER", "REVIEWER", "AttackedPage"]

#: What people decide, and who may; whatever else an attack leaves behind is no change.
_TABLES = ("decisions", "reassignments", "items", "campaign", "links")
NO_LIMITS = AttemptLimits(per_key=10_000, overall=10_000)


class AttackedPage:
    """The page of a campaign in which two reviewers have items, from ``with`` to the end of the block."""

    def __init__(
        self,
        folder: Path,
        web: WebSettings | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        mail: MailSettings | None = None,
        limits: AttemptLimits = NO_LIMITS,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self.now = utc_now()
        self.folder, path = folder, folder / "review.sqlite"
        if path.exists():  # the server was restarted
            self.store = ReviewStore.open(path)
        else:
            self.store = make_store(path, people=6, items=2)
            self._hand_some_over()
        certificate, key = tls or (None, None)
        self.served = Served(certificate=certificate, key=key)
        self.url = self.served.url
        self._trusted = ssl.create_default_context(cafile=str(certificate) if certificate else None)
        web = web or WebSettings()
        if mail is not None:  # links in mails need it
            web = dataclasses.replace(web, base_url=self.url)
        settings = Settings(path=folder / "access-review.toml", sha256="", web=web, mail=mail or MailSettings())
        self.settings = settings
        origin = PublicOrigin.of(
            self.store.campaign.name,
            (self.served.host, self.served.port),
            base_url=settings.web.base_url,
            is_tls=tls is not None,
        )
        app = create_app(self.store, settings, environment or {}, clock=lambda: self.now)
        self.served.app = guarded(app, origin, limits=limits)
        self.origin = origin
        self._clients = ExitStack()

    def _hand_some_over(self) -> None:
        """Give the second half of the people to the colleague."""
        cards, _ = self.store.cards(REVIEWER)
        items = [item.item_id for card in cards[3:] for item in card.items]
        self.store.reassign(items, REVIEWER, COLLEAGUE, "shared out", OWNER, now=self.now)

    def __enter__(self) -> AttackedPage:
        self.served.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._clients.close()
        self.served.__exit__(*details)
        self.store.close()

    def client(self, **headers: str) -> httpx.Client:
        """Return a browser without a session; it is closed at the end of the block."""
        return self._clients.enter_context(httpx.Client(base_url=self.url, verify=self._trusted, headers=headers))

    def signed_in(self, email: str = REVIEWER, *, is_owner: bool = False) -> httpx.Client:
        """Return a browser that came by a link."""
        client = self.client(Origin=self.url)
        answer = client.post("/link", data={"token": self.link(email, is_owner=is_owner)})
        assert answer.headers["Location"] == "/"
        return client

    def link(self, email: str = REVIEWER, *, is_owner: bool = False) -> str:
        return self.store.issue_link(email, is_owner=is_owner, valid_days=14, now=self.now)

    def item(self, email: str = REVIEWER) -> tuple[str, str]:
        """Return the ids of a card and of an item on it that are a reviewer's."""
        card = self.store.cards(email)[0][-1]
        return card.card_id, card.items[0].item_id

    def contents(self) -> dict[str, list[tuple[object, ...]]]:
        """Return everything that an attack must not change."""
        with closing(sqlite3.connect(self.folder / "review.sqlite")) as connection:
            return {name: connection.execute(f"select * from {name} order by 1").fetchall() for name in _TABLES}

    def refusals(self) -> list[str]:
        """Return the kinds of the refusals in the log, newest last."""
        return [refusal.kind for refusal in reversed(self.store.refusals(1000))]


def csrf(client: httpx.Client) -> str:
    """Return the token of the forms that a session's pages have."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/", follow_redirects=True).text)
    assert found is not None
    return found[1]
