"""Prepares the page of a campaign: its store, its application, and a link for its owner."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from pipeline.clock import Clock, utc_now
from pipeline.errors import UsageError
from pipeline.review.store import ReviewStore
from pipeline.settings import Settings, is_loopback
from pipeline.web.app import create_app
from pipeline.web.entrance import guarded
from pipeline.web.origin import PublicOrigin
from pipeline.web.server import Listener

__all__ = ["PreparedPage", "prepare"]

#: Whom the printed link is for. Not one of the owners: what is done with it must not carry the name of another.
_OPERATOR = "operator"
#: The owner's link is on a terminal, and is opened at once.
_LINK_DAYS = 1


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """A page to serve: its campaign, its address, a link that signs its owner in once, and the campaign's store."""

    campaign: str
    url: str
    owner_link: str
    app: ASGIApp
    store: ReviewStore


def prepare(
    settings: Settings,
    environment: Mapping[str, str],
    listener: Listener,
    name: str | None,
    *,
    clock: Clock = utc_now,
) -> PreparedPage:
    """Return the page of a campaign, by default of the only open one.

    Raises:
        UsageError: there is no such campaign, or none or several are open; or the address would not be safe.
        WarehouseError: the database or the store cannot be read.
        RenderError: the store cannot be written.
    """
    store = ReviewStore.open(_store_path(settings, name))
    campaign = store.campaign
    origin = PublicOrigin.of(
        campaign.name, listener.place, base_url=settings.web.base_url, is_tls=listener.address.is_encrypted
    )
    _refuse_plain_http(origin)
    token = store.issue_link(_OPERATOR, is_owner=True, valid_days=_LINK_DAYS, now=clock())
    app = guarded(create_app(store, settings, environment, clock=clock), origin)
    return PreparedPage(campaign.name, origin.url, f"{origin.url}/link/{token}", app, store)


def _refuse_plain_http(origin: PublicOrigin) -> None:
    """Refuse to let links and cookies cross a network without encryption."""
    if not origin.is_secure and not is_loopback(urlsplit(origin.url).hostname or ""):
        raise UsageError(
            "links and sessions would cross the network unencrypted",
            where=origin.url,
            hint="give --tls-cert and --tls-key, or put a proxy with TLS in front and set base_url in [web]",
        )


def _store_path(settings: Settings, name: str | None) -> Path:
    """Return the path of a campaign's store, which is made first if there is none.

    Another process does that, so that this one, which runs for weeks, never loads DuckDB.
    """
    if name is not None and (path := ReviewStore.path_of(settings, name)).is_file():
        return path
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_make, settings, name).result()


def _make(settings: Settings, name: str | None) -> Path:
    from pipeline.review import campaign as campaigns
    from pipeline.warehouse import database

    with database.reading(settings.warehouse.database, notify=_ignore) as connection:
        campaign = campaigns.find(connection, name)
        path = ReviewStore.path_of(settings, campaign.campaign)
        with ReviewStore.make(connection, campaign, path):
            return path


def _ignore(_: str) -> None:
    """Say nothing: the parent has the terminal."""
