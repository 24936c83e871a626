"""The page on which the owners of a campaign read which requests were refused."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.reporting import text
from pipeline.web.refusal import RefusedRequest, RequestRefusedError
from pipeline.web.site import site_of, visitor_of

__all__ = ["NOT_OWNER", "routes"]

NOT_OWNER = RefusedRequest(
    403,
    "not_owner",
    "",
    "This page is for the owners of the campaign",
    "You review access here, and do not own the campaign.",
    "Go back to your list.",
)
#: Refused requests on the page.
_SHOWN = 200
#: What each kind of refusal means.
_KINDS = {
    "closed": "Decision after the sign-off",
    "cross_site": "Form sent from another site",
    "csrf": "Form without the token of its session",
    "host": "Unknown name of the page",
    "link": "Link that does not sign in",
    "method": "Unknown kind of request",
    "no_reviewer": "Decision by a person who reviews nothing",
    "not_a_form": "Not one of our forms",
    "not_owner": "Owner's page opened by a reviewer",
    "not_yours": "Another reviewer's item, or none",
    "oidc_email": "E-mail address not verified",
    "oidc_provider": "Identity provider did not confirm",
    "oidc_state": "Sign-in not begun in this browser",
    "oidc_token": "ID token not acceptable",
    "oidc_unreachable": "Identity provider did not answer",
    "signed_out": "Form sent without a session",
    "too_large": "Form too large",
    "too_slow": "Form not sent in time",
    "unknown_person": "Person without a part in the campaign",
}


def routes() -> list[Route]:
    """Return the routes of this page."""
    return [Route("/campaign/refusals", refusals)]


def refusals(request: Request) -> Response:
    """Show the newest refused requests."""
    site, visitor = site_of(request), visitor_of(request)
    if visitor is None or not visitor.is_owner:
        raise RequestRefusedError(NOT_OWNER)
    found = [
        (text.moment(row.refused_at.replace(second=0, microsecond=0)), _KINDS.get(row.kind, row.kind), row)
        for row in site.store.refusals(_SHOWN)
    ]
    return site.page(request, "refusals.html", refusals=found, total=site.store.refusal_count())
