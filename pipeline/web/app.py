"""The application: its routes, and what stands in front of them.

Requests pass the guard (:mod:`pipeline.web.guard`) first. It sets ``request.state.visitor``, and for a POST, after it
has checked the CSRF token, ``request.state.form``: the values of the form by name. Pages are reached only with a
session, except the paths under ``/static``, ``/link`` and ``/sign-in``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from pipeline import resources
from pipeline.clock import Clock, utc_now
from pipeline.errors import AccessReviewError
from pipeline.review.store import ReviewStore
from pipeline.settings import Settings
from pipeline.web import overview, refusal_log, reviewing
from pipeline.web.guard import path_for_log
from pipeline.web.site import Site, filler, site_of

__all__ = ["create_app"]

_log = logging.getLogger(__name__)


def create_app(
    store: ReviewStore, settings: Settings, environment: Mapping[str, str], *, clock: Clock = utc_now
) -> Starlette:
    """Return the page of one campaign as an ASGI application. ``environment`` holds the secrets."""
    app = Starlette(
        routes=_routes(), exception_handlers={HTTPException: _http_error, AccessReviewError: _unavailable}
    )
    app.state.site = Site(store, settings, environment, clock, filler())
    return app


def _routes() -> list[BaseRoute]:
    static = Mount("/static", _Static(directory=resources.templates() / "web" / "static"))
    return [static, *reviewing.routes(), *overview.routes(), *refusal_log.routes()]


class _Static(StaticFiles):
    """Files that browsers keep: the address of a file changes with the version of the program."""

    def file_response(self, *args: Any, **values: Any) -> Response:
        """Return a file, to be kept for a year."""
        response = super().file_response(*args, **values)
        response.headers["Cache-Control"] = "max-age=31536000, immutable"
        return response


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = {404: "There is no such page", 405: "This address does not take such a request"}.get(
        status, "This request cannot be answered"
    )
    return site_of(request).message(request, status, title, "The address may be mistyped.", "Go back to your list.")


async def _unavailable(request: Request, error: Exception) -> Response:
    """Say that the store cannot be used now, and log why: the disk is full, or the file is damaged."""
    _log.error("%s %s: %s", request.method, path_for_log(request), error)
    return HTMLResponse(site_of(request).fill("web/unavailable.html", None), 503)
