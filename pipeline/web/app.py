"""The application: its routes, and what stands in front of them.

Requests pass the guard (:mod:`pipeline.web.guard`) first. It sets ``request.state.visitor``, and for a POST, after it
has checked the CSRF token, ``request.state.form``: the values of the form by name. Pages are reached only with a
session, except the paths under ``/static``, ``/link`` and ``/sign-in``.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from pipeline import resources
from pipeline.clock import Clock, utc_now
from pipeline.settings import Settings
from pipeline.web.site import ReviewStore, Site, filler, site_of

__all__ = ["create_app"]


def create_app(
    store: ReviewStore, settings: Settings, environment: Mapping[str, str], *, clock: Clock = utc_now
) -> Starlette:
    """Return the page of one campaign as an ASGI application. ``environment`` holds the secrets."""
    app = Starlette(routes=_routes(), exception_handlers={HTTPException: _http_error})
    app.state.site = Site(store, settings, environment, clock, filler())
    return app


def _routes() -> list[BaseRoute]:
    return [Mount("/static", StaticFiles(directory=resources.templates() / "web" / "static"))]


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = {404: "There is no such page", 405: "This address does not take such a request"}.get(
        status, "This request cannot be answered"
    )
    return site_of(request).message(request, status, title, "The address may be mistyped.", "Go back to your list.")
