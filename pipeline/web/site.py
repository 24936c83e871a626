"""What every route of the page needs: the store, the settings, the time and the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import HTMLResponse

from pipeline import __version__, resources
from pipeline.clock import Clock
from pipeline.reporting.templating import Filler
from pipeline.review.store import ReviewStore
from pipeline.review.store.sessions import Visitor
from pipeline.settings import Settings

__all__ = ["Site", "site_of", "visitor_of"]


@dataclass(frozen=True)
class Site:
    """One campaign's page.

    ``environment`` holds the secrets. ``fill`` fills the templates of ``reports/templates``.
    """

    store: ReviewStore
    settings: Settings
    environment: Mapping[str, str]
    clock: Clock
    fill: Filler

    def page(self, request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page from ``reports/templates/web``, for the visitor of the request if there is one."""
        values |= {"visitor": visitor_of(request), "campaign": self.store.campaign}
        values |= {"path": request.url.path, "version": __version__}
        return HTMLResponse(self.fill(f"web/{name}", None, **values), status)

    def message(
        self, request: Request, status: int, title: str, text: str, hint: str = "", *, renewable: str = ""
    ) -> HTMLResponse:
        """Return a page that only says something: what was refused and why, and what to do.

        ``renewable`` is the token of a link; a button asks for a new one by mail.
        """
        values = {"title": title, "text": text, "hint": hint, "renewable": renewable}
        return self.page(request, "message.html", status, **values)


def filler() -> Filler:
    """Return the templates of the page, each read once."""
    return Filler(resources.templates())


def site_of(request: Request) -> Site:
    """Return the site that a request is for."""
    return cast("Site", request.app.state.site)


def visitor_of(request: Request) -> Visitor | None:
    """Return who is signed in, as the guard found out, or None."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return visitor
