"""Puts the guard and the routes of signing in before the pages of an application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pipeline.errors import AccessReviewError
from pipeline.settings import read_secret
from pipeline.web.attempts import AttemptLimits
from pipeline.web.guard import Guard, answer_refusal
from pipeline.web.origin import PublicOrigin
from pipeline.web.refusal import RefusedRequest, RequestRefusedError
from pipeline.web.sign_in import CALLBACK, sign_in_routes
from pipeline.web.site import Site

__all__ = ["SECRET", "guarded"]

#: The environment variable with the client secret of ``[web.oidc]``. A public client has none.
SECRET = "ACCESS_REVIEW_OIDC_SECRET"  # noqa: S105


def guarded(app: Starlette, origin: PublicOrigin, *, limits: AttemptLimits | None = None) -> Guard:
    """Return an application whose ``state.site`` is set, reached only through the guard.

    Raises:
        ConfigurationError: the client secret in the environment cannot be used.
    """
    site: Site = app.state.site
    app.state.openid = _openid(site, origin)
    app.router.routes.extend(sign_in_routes())
    app.add_exception_handler(RequestRefusedError, answer_refusal)

    def refused(request: Request, refusal: RefusedRequest) -> Response:
        try:
            return site.message(
                request, refusal.status, refusal.title, refusal.text, refusal.hint, renewable=refusal.renewable
            )
        except AccessReviewError:  # the page of every message names the campaign, from the store
            return HTMLResponse(site.fill("web/unavailable.html", None), 503)

    return Guard(app, site.store, origin, refused, clock=site.clock, limits=limits)


def _openid(site: Site, origin: PublicOrigin) -> object:
    settings = site.settings.web.oidc
    if settings is None:
        return None
    from pipeline.sources.identity_provider import IdentityProvider
    from pipeline.web.oidc import OpenIdClient

    return OpenIdClient(
        settings,
        read_secret(site.environment, SECRET),
        origin.url + CALLBACK,
        IdentityProvider(site.environment),
        clock=site.clock,
    )
