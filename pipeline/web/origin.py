"""Where the page is served: its addresses, and what follows from them for cookies and for checks of requests."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import cookie_parser

from pipeline.errors import UsageError
from pipeline.settings import is_loopback

__all__ = ["PublicOrigin", "network_address"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class PublicOrigin:
    """The addresses of one campaign's page.

    ``url`` is the one that links carry, without a slash at the end. ``origins`` are all of them, as browsers write
    them in ``Origin``. ``is_secure`` says whether browsers reach it over TLS. ``has_proxy`` says whether a proxy on
    this machine may name the address of a visitor. ``cookie_suffix`` keeps the cookies of two campaigns on one host
    apart, because browsers share cookies between the ports of a host.
    """

    url: str
    origins: frozenset[str]
    is_secure: bool
    has_proxy: bool
    cookie_suffix: str

    @classmethod
    def of(cls, campaign: str, listen: tuple[str, int], *, base_url: str | None, is_tls: bool) -> PublicOrigin:
        """Return the addresses of a campaign's page.

        ``listen`` is the host and port that the server listens at; ``is_tls`` says whether it serves TLS itself.
        ``base_url`` is the configured address; with it, a proxy on this machine is trusted to name visitors.

        Raises:
            UsageError: it listens at every address of the machine, and no ``base_url`` says by which name it is
                reached.
        """
        host, port = listen
        scheme = "https" if is_tls else "http"
        names = {host, "localhost", "127.0.0.1", "::1"} if is_loopback(host) else {host}
        if _is_wildcard(host):
            if base_url is None:
                raise UsageError(
                    "the page would be served at every address of this machine, under any name",
                    where=f"--host {host}",
                    hint="set base_url in [web] to the address that reviewers open, or name one address with --host",
                )
            names = {"localhost", "127.0.0.1", "::1"}
        served = [_origin(scheme, name, port) for name in names]
        url = base_url.rstrip("/") if base_url else _origin(scheme, host, port)
        parts = urlsplit(url)
        public = _origin(parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme])
        return cls(
            url=public,
            origins=frozenset({public, *served}),
            is_secure=is_tls or parts.scheme == "https",
            has_proxy=base_url is not None,
            cookie_suffix=hashlib.sha256(campaign.encode()).hexdigest()[:8],
        )

    def serves(self, host: str) -> bool:
        """Return whether a ``Host`` header names this page. Another name is a sign of DNS rebinding."""
        return any(urlsplit(origin).netloc == host.lower() for origin in self.origins)

    def cookie_name(self, purpose: str) -> str:
        """Return the name of a cookie. Over TLS no other host, and no page without TLS, can set one of that name."""
        return f"{'__Host-' if self.is_secure else ''}{purpose}-{self.cookie_suffix}"

    def set_cookie(self, purpose: str, value: str, *, seconds: int) -> str:
        """Return a ``Set-Cookie`` header. 0 seconds remove the cookie.

        Lax and not Strict: a reviewer comes from their mail, and from the identity provider, and browsers send no
        Strict cookie on such a visit. Forms have their own protection (:mod:`pipeline.web.guard`).
        """
        secure = "; Secure" if self.is_secure else ""
        return f"{self.cookie_name(purpose)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"

    def cookie(self, headers: Iterable[tuple[bytes, bytes]], purpose: str) -> str | None:
        """Return the value of a cookie in the headers of a request, or None."""
        name = self.cookie_name(purpose)
        for key, value in headers:
            if key == b"cookie" and (found := cookie_parser(value.decode("latin-1")).get(name)):
                return found
        return None


def network_address(peer: str, forwarded: Iterable[str], *, has_proxy: bool) -> str:
    """Return the network address of a visitor.

    It is the address of the connection. Only behind a proxy on this machine it is the last one in
    ``X-Forwarded-For``, which that proxy wrote; anything before it can be invented by the visitor.
    """
    values = list(forwarded)
    if has_proxy and values and is_loopback(peer):
        last = values[-1].rpartition(",")[2].strip()
        try:
            return _plain(last)
        except ValueError:
            return peer
    try:
        return _plain(peer)
    except ValueError:
        return peer


def _plain(address: str) -> str:
    parsed = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _origin(scheme: str, host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host.lower()
    return f"{scheme}://{name}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == ""
