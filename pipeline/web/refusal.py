"""Refused requests, as they are logged and as the visitor reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = [
    "RefusedRequest",
    "RequestRefusedError",
    "SignInRefusedError",
    "refused_link",
    "refused_sign_in",
    "renewable_link",
    "unknown_person",
    "unreachable_provider",
]


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A refused request: the HTTP status, its kind and detail for the log, and what the visitor reads.

    ``is_guess`` says that it may be one of many attempts to find something out; these are limited. A mistake, or what
    another site makes a browser do, must not keep a reviewer out. ``renewable`` is the token of a link that a new one
    can be mailed for.
    """

    status: int
    kind: str
    detail: str
    title: str
    text: str
    hint: str = ""
    is_guess: bool = False
    renewable: str = ""


class RequestRefusedError(Exception):
    """Raised by a route to refuse its request; :func:`pipeline.web.guard.answer_refusal` answers it."""

    def __init__(self, refusal: RefusedRequest) -> None:
        super().__init__(refusal.kind)
        self.refusal = refusal


class SignInRefusedError(Exception):
    """A sign-in that the provider, or we, refused. ``detail`` is for the log and holds no secret.

    ``kind`` is ``oidc_state`` (not started in this browser), ``oidc_provider`` (the provider said no), ``oidc_token``
    (its ID token is not acceptable) or ``oidc_email`` (no verified e-mail address).
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


#: Title, text and hint by the reason of a :class:`pipeline.review.store.links.LinkRefusedError`.
_LINKS = {
    "invalid": (
        "This link is not complete",
        "It is not a link that we sent, or a part of it is missing.",
        "Open the link from the mail, or copy all of it. Else ask the owner of the campaign for a new link.",
    ),
    "expired": (
        "This link has expired",
        "A link is valid for some days only.",
        "Ask the owner of the campaign for a new link.",
    ),
    "used": (
        "This link was used before",
        "A link signs in once only, so that others cannot use it after you.",
        "Ask the owner of the campaign for a new link. If it was not you who used this one, tell the owner.",
    ),
    "replaced": (
        "There is a newer link",
        "A newer link was made for you, and this one no longer works.",
        "Open the link in the newest mail.",
    ),
    "closed": (
        "The campaign is closed",
        "It was signed off and takes no more decisions.",
        "If something in it is wrong, tell the owner of the campaign.",
    ),
}
#: The same by the kind of a :class:`SignInRefusedError`.
_SIGN_INS = {
    "oidc_state": (
        "This sign-in cannot be completed",
        "It was not begun in this browser, it took too long, or it was completed before.",
        "Sign in again.",
    ),
    "oidc_provider": (
        "You are not signed in",
        "The sign-in service of your organisation did not confirm who you are.",
        "Sign in again. If that does not help, ask the owner of the campaign for a link.",
    ),
    "oidc_token": (
        "You are not signed in",
        "The answer of your organisation's sign-in service cannot be trusted.",
        "Sign in again. If that does not help, tell the owner of the campaign.",
    ),
    "oidc_email": (
        "Your e-mail address is not confirmed",
        "The sign-in service of your organisation does not vouch for your e-mail address.",
        "Ask its administrators to confirm the address, or ask the owner of the campaign for a link.",
    ),
}


def refused_link(reason: str, email: str | None) -> RefusedRequest:
    """Return the refusal of a link; ``email`` is whom it is for, if that is known."""
    detail = reason + (f", for {email}" if email else "")
    return RefusedRequest(403, "link", detail, *_LINKS[reason], is_guess=email is None)


def renewable_link(reason: str, email: str, token: str) -> RefusedRequest:
    """Return the refusal of a link whose reviewer can have a new one mailed."""
    hint = "Have a new link mailed to you."
    if reason == "used":
        hint += " If it was not you who used this one, tell the owner of the campaign."
    return replace(refused_link(reason, email), hint=hint, renewable=token)


def refused_sign_in(error: SignInRefusedError) -> RefusedRequest:
    """Return the refusal of a sign-in at the identity provider."""
    is_guess = error.kind in {"oidc_state", "oidc_token"}
    return RefusedRequest(403, error.kind, error.detail, *_SIGN_INS[error.kind], is_guess=is_guess)


def unknown_person(email: str) -> RefusedRequest:
    """Return the refusal of a person that the provider knows and the campaign does not."""
    return RefusedRequest(
        403,
        "unknown_person",
        f"{email} signed in at the identity provider",
        "No review waits for you",
        f"You signed in as {email}. This address has no part in this campaign.",
        "If you expected to, ask the owner of the campaign which address is registered.",
    )


def unreachable_provider(problem: str) -> RefusedRequest:
    """Return the answer to a sign-in that the provider does not respond to."""
    return RefusedRequest(
        502,
        "oidc_unreachable",
        problem,
        "The sign-in service of your organisation does not answer",
        "Nothing is wrong with your account or with this page.",
        "Try again in a few minutes, or use the link in the mail that asked you to review.",
    )
