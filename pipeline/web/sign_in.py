"""The routes that answer who a visitor is: links, the identity provider, and signing out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.errors import AccessReviewError, SourceError
from pipeline.review.store.links import LinkRefusedError
from pipeline.review.store.sessions import NewSession
from pipeline.web.guard import SESSION
from pipeline.web.refusal import (
    RefusedRequest,
    RequestRefusedError,
    SignInRefusedError,
    refused_link,
    refused_sign_in,
    renewable_link,
    unknown_person,
    unreachable_provider,
)
from pipeline.web.site import Site, site_of

if TYPE_CHECKING:  # what it imports is needed only where [web.oidc] is set
    from pipeline.web.oidc import OpenIdClient

__all__ = ["CALLBACK", "sign_in_routes"]

#: Where the identity provider sends visitors back to.
CALLBACK = "/sign-in/openid/callback"
#: What the cookie is for that a browser has while its visitor is at the provider.
_STARTED = "sign-in"
_SECONDS_AT_PROVIDER = 600
#: How long a sign-in at the provider holds, then it is asked again.
_OIDC_LIFETIME = timedelta(hours=24)


def sign_in_routes() -> list[BaseRoute]:
    """Return the routes, for the application."""
    return [
        Route("/sign-in", _sign_in),
        Route("/link/{token}", _open_link),
        Route("/link", _redeem_link, methods=["POST"]),
        Route("/link/again", _mail_link, methods=["POST"]),
        Route("/sign-in/openid", _start),
        Route(CALLBACK, _come_back),
        Route("/sign-out", _sign_out, methods=["POST"]),
    ]


async def _sign_in(request: Request) -> Response:
    """Say how to sign in."""
    if request.state.visitor is not None:
        return RedirectResponse("/", 303)
    url = "/sign-in/openid" if request.app.state.openid is not None else None
    return site_of(request).page(request, "sign_in.html", provider_url=url)


async def _open_link(request: Request) -> Response:
    """Show the button that redeems a link. Mail scanners open links too, so that opening it must not use it up."""
    site, visitor = site_of(request), request.state.visitor
    token = request.path_params["token"]
    try:
        link = await asyncio.to_thread(site.store.check_link, token, site.clock())
    except LinkRefusedError as error:
        if visitor is not None and error.reason == "used" and error.email == visitor.email:
            return RedirectResponse("/", 303)  # the same person clicks on the same mail again
        raise RequestRefusedError(await asyncio.to_thread(_refused, site, token, error)) from None
    fields = {"token": token} | ({"csrf": visitor.csrf} if visitor else {})
    page = site.page(request, "link.html", action="/link", fields=fields, email=link.email)
    page.headers["Referrer-Policy"] = "no-referrer"  # the address of this page is the secret
    return page


async def _redeem_link(request: Request) -> Response:
    site = site_of(request)
    token = request.state.form.get("token", "")
    try:
        session = await asyncio.to_thread(site.store.sign_in_by_link, token, site.clock())
    except LinkRefusedError as error:
        raise RequestRefusedError(await asyncio.to_thread(_refused, site, token, error)) from None
    return await _signed_in(request, session)


def _refused(site: Site, token: str, error: LinkRefusedError) -> RefusedRequest:
    if error.email is not None and _is_renewable(site, error):
        return renewable_link(error.reason, error.email, token)
    return refused_link(error.reason, error.email)


def _is_renewable(site: Site, error: LinkRefusedError) -> bool:
    """Return whether a new link can be mailed to the reviewer of a link that no longer works.

    The link shows that its holder had the mail. The new one goes to the same address, at most once a day.
    """
    settings = site.settings
    if error.email is None or error.reason not in {"used", "expired", "replaced"}:
        return False
    can_mail = settings.mail.smtp_url is not None and settings.web.base_url is not None
    return can_mail and site.store.campaign.closed_at is None and site.store.progress(error.email).pending > 0


def _mail_link(request: Request) -> Response:
    """Mail a new link to the reviewer of one that no longer works."""
    from pipeline.review import notices

    site, token = site_of(request), request.state.form.get("token", "")
    try:
        site.store.check_link(token, site.clock())
    except LinkRefusedError as error:
        if error.email is None or not _is_renewable(site, error):
            raise RequestRefusedError(refused_link(error.reason, error.email)) from None
        email = error.email
    else:
        return RedirectResponse(f"/link/{token}", 303)  # it works after all
    ask = "Else ask the owner of the campaign for a link."
    try:
        run = notices.remind(site.store, site.settings, site.environment, now=site.clock(), reviewers={email})
    except AccessReviewError:  # the owners see why when they send a reminder
        states = set()
    else:
        states = {result.state for result in run.results}
    if "sent" in states:
        text = f"It was sent to {email}, and works once."
        return site.message(
            request, 200, "A new link is in your mail", text, "Open that mail, also in other folders."
        )
    if states & {"sent_before", "uncertain"}:
        text = f"A link was mailed to {email} today already. Another can be sent tomorrow."
        return site.message(request, 200, "Look into your mail", text, f"Look in other folders, too. {ask}")
    return site.message(request, 502, "The mail could not be sent", "The mail server did not take it.", ask)


async def _signed_in(request: Request, session: NewSession) -> Response:
    """Answer a sign-in: with a new cookie, which cannot be prepared by others; the earlier session ends."""
    site, origin = site_of(request), request.state.guard.origin
    if earlier := origin.cookie(request.scope["headers"], SESSION):
        await asyncio.to_thread(site.store.end_session, earlier, site.clock())
    seconds = max(0, int((session.expires_at - site.clock()).total_seconds()))
    response = RedirectResponse("/", 303)
    response.headers.append("Set-Cookie", origin.set_cookie(SESSION, session.cookie, seconds=seconds))
    return response


async def _sign_out(request: Request) -> Response:
    site, origin = site_of(request), request.state.guard.origin
    if cookie := origin.cookie(request.scope["headers"], SESSION):
        await asyncio.to_thread(site.store.end_session, cookie, site.clock())
    response = RedirectResponse("/sign-in", 303)
    response.headers.append("Set-Cookie", origin.set_cookie(SESSION, "", seconds=0))
    return response


async def _start(request: Request) -> Response:
    """Send the visitor to the provider. A link leads here and no form, whose redirects browsers restrict too."""
    client, origin = _openid(request), request.state.guard.origin
    try:
        started = await asyncio.get_running_loop().run_in_executor(client.threads, client.start)
    except SourceError as error:
        raise RequestRefusedError(unreachable_provider(str(error))) from None
    response = RedirectResponse(started.url, 303)
    response.headers.append("Set-Cookie", origin.set_cookie(_STARTED, started.cookie, seconds=_SECONDS_AT_PROVIDER))
    return response


async def _come_back(request: Request) -> Response:
    """Take the provider's answer, once."""
    client, origin, guard = _openid(request), request.state.guard.origin, request.state.guard
    try:
        session = await asyncio.get_running_loop().run_in_executor(client.threads, _finish, request, client)
        response = await _signed_in(request, session)
    except RequestRefusedError as error:
        response = await guard.refuse(request, error.refusal)
    response.headers.append("Set-Cookie", origin.set_cookie(_STARTED, "", seconds=0))
    return response


def _finish(request: Request, client: OpenIdClient) -> NewSession:
    site, origin = site_of(request), request.state.guard.origin
    now = site.clock()
    cookie = origin.cookie(request.scope["headers"], _STARTED)
    try:
        email = client.finish(cookie, request.query_params, lambda value: site.store.complete_sign_in(value, now))
    except SourceError as error:
        raise RequestRefusedError(unreachable_provider(str(error))) from None
    except SignInRefusedError as error:
        raise RequestRefusedError(refused_sign_in(error)) from None
    session: NewSession | None = site.store.sign_in_by_email(
        email, site.settings.web.owners, expires_at=now + _OIDC_LIFETIME, now=now
    )
    if session is None:
        raise RequestRefusedError(unknown_person(email))
    return session


def _openid(request: Request) -> OpenIdClient:
    client: OpenIdClient | None = request.app.state.openid
    if client is None:
        raise HTTPException(404)
    return client
