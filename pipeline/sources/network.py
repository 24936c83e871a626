"""The route to a host: which proxy is in front of it, and which certificates are trusted.

Every HTTP client of the program is made here, from one reading of the environment. A variable that is wrong is an
error only if it matters for the host: the proxy of a host on ``NO_PROXY`` is not even looked at.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import ipaddress
import os
import ssl
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
import httpx

import pipeline
from pipeline.errors import ConfigurationError
from pipeline.settings import SourceSettings, is_loopback

__all__ = ["Proxy", "Route", "find_proxy", "find_route", "route_to", "trusted_authorities"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SYSTEM = "the proxy settings of this system"
_PROXY_HINT = (
    "write it as http://proxy.example.com:3128, with special characters of a user name or password as %XX; "
    "or put {host} on NO_PROXY"
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable that names it. ``url`` carries no credential."""

    variable: str
    url: str
    credential: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """The route to one host. ``trusted_by`` names what chooses the trusted CAs, None for the usual ones."""

    host: str
    proxy: Proxy | None
    trusted_by: str | None
    _tls: ssl.SSLContext
    _proxy_tls: ssl.SSLContext | None

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Return an asynchronous client for this route; ``options`` are those of httpx."""
        return httpx.AsyncClient(**self._options(options))

    def blocking_client(self, **options: Any) -> httpx.Client:
        """Return a blocking client for this route; ``options`` are those of httpx."""
        return httpx.Client(**self._options(options))

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        proxy = None
        if self.proxy is not None:
            proxy = httpx.Proxy(self.proxy.url, auth=self.proxy.credential, ssl_context=self._proxy_tls)
        headers = {"User-Agent": f"sisense-access-review/{pipeline.__version__}", **options.get("headers", {})}
        return {
            **options,
            "headers": headers,
            "verify": self._tls,
            "proxy": proxy,
            "trust_env": False,  # the environment is read here, with more care
            "follow_redirects": False,
            # a cookie would be a second credential beside the token
            "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        }


def find_route(
    url: str,
    *,
    verify_tls: bool = True,
    ca_bundle: Path | None = None,
    place: str = "",
    environment: Mapping[str, str] = os.environ,
) -> Route:
    """Find the route to the host of an address. ``place`` is the table of the configuration that names it.

    Raises:
        ConfigurationError: a variable, or the CA bundle, applies to this host and cannot be used.
    """
    proxy = find_proxy(url, environment)
    host = urlsplit(url).hostname or ""
    proxy_tls = _trust(environment)[0] if proxy is not None and proxy.url.startswith("https:") else None
    trusted_by: str | None = None
    if urlsplit(url).scheme != "https":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    elif not verify_tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    else:
        tls, trusted_by = trusted_authorities(ca_bundle, place, environment)
    return Route(host, proxy, trusted_by, tls, proxy_tls)


def trusted_authorities(
    ca_bundle: Path | None, place: str, environment: Mapping[str, str] = os.environ
) -> tuple[ssl.SSLContext, str | None]:
    """Return a context that trusts a CA bundle, or what the environment names; and which of them, None for the usual.

    ``place`` is the table of the configuration that names the bundle.

    Raises:
        ConfigurationError: the bundle, or the certificates of the environment, cannot be used.
    """
    if ca_bundle is not None:
        return _bundle(ca_bundle, place), "'ca_bundle'"
    return _trust(environment)


def _bundle(path: Path, place: str) -> ssl.SSLContext:
    try:
        return _context(cafile=str(path))
    except (OSError, ValueError) as error:
        # the name only: the message is kept with the extract, which leaves this machine
        raise ConfigurationError(
            f"the CA bundle '{path.name}' cannot be read: {getattr(error, 'strerror', None) or error}",
            where=f"{place}.ca_bundle",
            hint="give 'ca_bundle' the path of a PEM file with the certificates of your CA",
        ) from error


def route_to(source: SourceSettings, environment: Mapping[str, str] = os.environ) -> Route:
    """Find the route to a source. Raises as :func:`find_route`."""
    return find_route(
        source.url,
        verify_tls=source.verify_tls,
        ca_bundle=source.ca_bundle,
        place=f"sources.{source.name}",
        environment=environment,
    )


def find_proxy(url: str, environment: Mapping[str, str] = os.environ) -> Proxy | None:
    """Return the proxy that the environment sets for an address; None for loopback and for hosts on NO_PROXY.

    Raises:
        ConfigurationError: it sets one that cannot be used.
    """
    parts = urlsplit(url)
    host, scheme = (parts.hostname or "").rstrip("."), parts.scheme
    if is_loopback(host) or _is_exempt(scheme, host, parts.port or _DEFAULT_PORTS.get(scheme), environment):
        return None
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable, value = _either_case(environment, name)
        if value:
            return _proxy(variable, value, host)
    return _system_proxy(scheme, host, environment)


def _either_case(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the variable in force and its value. As for curl, lower case wins if it is set, even if it is empty."""
    if name in environment:
        return name, environment[name].strip()
    if name == "http_proxy" and "REQUEST_METHOD" in environment:
        return name, ""  # under CGI, HTTP_PROXY is a request header
    return name.upper(), environment.get(name.upper(), "").strip()


def _system_proxy(scheme: str, host: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy of the Windows or macOS settings, which count if no variable is set."""
    if any(name.lower().endswith("_proxy") for name in environment):
        return None
    value = urllib.request.getproxies().get(scheme)
    return _proxy(_SYSTEM, value, host) if value and not urllib.request.proxy_bypass(host) else None


def _proxy(variable: str, value: str, host: str) -> Proxy:
    """Read the address of a proxy. No message quotes it, because it often contains a password."""
    hint = _PROXY_HINT.format(host=host)
    try:
        parts = urlsplit(value if "://" in value else f"http://{value.removeprefix('//')}")
        name, port = parts.hostname or "", parts.port
        url = httpx.URL(scheme=parts.scheme, host=name, port=port)
    except (ValueError, httpx.InvalidURL):  # their text may quote a password
        raise _unusable(variable, "is not the address of a proxy", hint) from None
    if parts.scheme in {"socks", "socks4", "socks4a", "socks5", "socks5h"}:
        if parts.scheme not in {"socks5", "socks5h"} or importlib.util.find_spec("socksio") is None:
            raise _unusable(variable, f"names a proxy of the kind {parts.scheme}, which is not supported", hint)
    elif parts.scheme not in _DEFAULT_PORTS:
        raise _unusable(variable, "names a kind of proxy that does not exist", hint)
    strays = parts.query or parts.fragment or parts.path.strip("/")  # perhaps the rest of a password with a '#'
    if not name or any(character.isspace() for character in name) or port == 0 or strays:
        raise _unusable(variable, "is not the address of a proxy", hint)
    if parts.username is None:
        return Proxy(variable, str(url))
    return Proxy(variable, str(url), (unquote(parts.username), unquote(parts.password or "")))


def _unusable(variable: str, what: str, hint: str) -> ConfigurationError:
    return ConfigurationError(f"{variable} {what}", where=f"environment, {variable}", hint=hint)


def _is_exempt(scheme: str, host: str, port: int | None, environment: Mapping[str, str]) -> bool:
    _, value = _either_case(environment, "no_proxy")
    return any(_covers(entry, scheme, host.lower(), port) for entry in value.replace(",", " ").lower().split())


def _covers(entry: str, scheme: str, host: str, port: int | None) -> bool:
    """Return whether an entry of NO_PROXY covers this host. An invalid entry covers none.

    An entry is a name (which covers its subdomains), an address, a network, a pattern with ``*``, or ``<local>`` for
    names without a dot. A leading ``scheme://`` and a trailing ``:port`` narrow it.
    """
    wanted_scheme, _, rest = entry.rpartition("://")
    if wanted_scheme not in {"", "all", scheme}:
        return False
    name, wanted_port = _split_port(rest.rstrip("/") if wanted_scheme else rest)
    if wanted_port is not None and wanted_port != str(port):
        return False
    address = _address(host)
    if address is not None:
        network = _network(name)
        return name == "*" or (network is not None and address in network) or fnmatch.fnmatchcase(host, name)
    if name == "<local>":
        return "." not in host
    if "*" in name:
        return fnmatch.fnmatchcase(host, name) or name == f"*.{host}"
    name = name.strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, str | None]:
    """Split ``host:port``; an IPv6 address has colons of its own, and brackets if a port follows."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name + (rest if rest.startswith("/") else ""), rest[1:] if rest.startswith(":") else None
    name, colon, port = entry.rpartition(":")
    if colon and ":" not in name and port.isdigit():
        return name, port
    return entry, None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _trust(environment: Mapping[str, str]) -> tuple[ssl.SSLContext, str | None]:
    """Trust the readable certificates of SSL_CERT_FILE and SSL_CERT_DIR; without these variables, the usual CAs."""
    given = {name: environment[name].strip() for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environment.get(name)}
    given = {name: value for name, value in given.items() if value}
    if not given:
        return _context(cafile=certifi.where()), None
    usable = dict(_readable(given))
    if not usable:
        variable = next(iter(given))
        raise ConfigurationError(
            f"{variable} names no readable certificates",
            where=f"environment, {variable}",
            hint=f"correct or unset {variable}, or give 'ca_bundle' the path of a PEM file with the certificates of "
            "your CA",
        )
    context = _context()
    for places in usable.values():
        for place in places:
            context.load_verify_locations(**place)
    return context, " and ".join(usable)


def _readable(given: Mapping[str, str]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yield each variable with its places that have readable certificates; SSL_CERT_DIR may list several."""
    for name, value in given.items():
        key = "cafile" if name == "SSL_CERT_FILE" else "capath"
        places = [value] if key == "cafile" else [place for place in value.split(os.pathsep) if Path(place).is_dir()]
        found: list[dict[str, str]] = []
        for place in places:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**{key: place})
            except (OSError, ValueError):
                continue
            found.append({key: place})
        if found:
            yield name, found


def _context(cafile: str | None = None) -> ssl.SSLContext:
    """Return a verifying context like Python's default, but one that never logs keys (SSLKEYLOGFILE)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    if cafile is not None:
        context.load_verify_locations(cafile=cafile)
    return context
