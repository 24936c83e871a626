"""One page of a directory: its records, reduced to the columns that are needed, and the link to the next page.

A next link is an address that the server chose, and the token is sent there. So it is followed only if it leads to
the configured host.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from pipeline.sources.directories.linked import LinkedPage, Seen, ignore
from pipeline.sources.errors import BadAnswerError, RedirectedError
from pipeline.sources.exchange import Reply, Request
from pipeline.sources.failures import origin_of
from pipeline.sources.records import Key, Records, read_json, without_secrets
from pipeline.sources.redaction import LEAST_SECRET, carries
from pipeline.sources.transport import Authority, Client

__all__ = ["PROBES", "Directory", "Shape", "as_list", "as_object", "parsed", "pick", "shape_of"]

#: The columns that are kept of a record: True for a value, a shape of its own for an object inside.
Shape = Mapping[str, "bool | Shape"]
#: Where Microsoft Graph writes the next link: before the records. So many bytes of each end are searched.
_NEXT_LINK = re.compile(rb'"@odata\.nextLink"\s*:\s*("(?:[^"\\]|\\.)*")')
_NEAR = 8_192
#: Columns with ids, which are text even if a server writes a number.
_IDS = frozenset({"id", "principalId"})
#: Attempts for an address that may not exist, or not for this credential.
PROBES = 2


class Directory:
    """The API of one directory, used with one credential. ``authority`` supplies the tokens."""

    def __init__(self, client: Client, authority: Authority) -> None:
        self.client = client
        self.authority = authority

    async def records(
        self,
        link: str,
        shape: Shape,
        *,
        complete: Mapping[str, str] | None = None,
        list_of: Callable[[Any], tuple[list[Any], str | None]],
        seen: Seen = ignore,
    ) -> tuple[Reply, LinkedPage]:
        """Request one page. ``complete`` is added to each record; ``list_of`` finds the list and next link in a body.

        ``link`` is an address behind the URL of the source, or a next link as the server wrote it. ``seen`` is called
        with the next link of a whole answer before it is read.

        Raises:
            RedirectedError: the link leads to another host; nothing was sent there.
        """
        request = Request(self._behind(link))

        def find(answer: Reply) -> tuple[list[Any], str | None]:
            elements, following = list_of(parsed(answer.body))
            return elements, self._from(request, following or answer.next_link)

        def peek(response: httpx.Response) -> bool:
            following = self._from(request, _early_link(response) if response.is_success else None)
            if following is not None:
                seen(following)
            return following is not None

        answer, (elements, following) = await self.client.fetch(request, find, authority=self.authority, peek=peek)

        def read() -> Records:
            return self._records(answer, [{**pick(element, shape), **(complete or {})} for element in elements])

        return answer, LinkedPage(read, following or None)

    async def get(self, link: str, read: Callable[[Reply], Any], **headers: str) -> tuple[Reply, Any]:
        """Request something else than a list, and read it."""
        request = Request(link, headers=headers or None)
        return await self.client.fetch(request, read, authority=self.authority, attempts=PROBES)

    def _from(self, request: Request, link: str | None) -> str | None:
        """Return a next link as it must be followed: a relative one leads on from the page that has it."""
        if not link or link.startswith("/") or "://" in link:
            return link or None
        try:
            return str(httpx.URL(self.client.source.url + request.path).join(link))
        except (httpx.InvalidURL, ValueError):
            return link

    def _behind(self, link: str) -> str:
        """Return the path of a link behind the URL of the source."""
        if not link.startswith("/") or link.startswith("//"):
            return self._relative(link)
        return link.removeprefix(urlsplit(self.client.source.url).path.rstrip("/"))

    def _records(self, answer: Reply, kept: list[dict[str, Any]]) -> Records:
        keys: list[Key | None] = [
            key if isinstance(key := record.get("id"), str) and key else None for record in kept
        ]
        secrets = [secret for secret in self.client.redaction.secrets if len(secret) >= LEAST_SECRET]
        try:
            body = orjson.dumps(kept)
        except (TypeError, ValueError):  # half of a surrogate pair, or a number that orjson does not write
            body = b""
        if not body or carries(body, secrets):
            body = without_secrets(kept, secrets)
        return Records(tuple(keys), body, True, hashlib.sha256(answer.body).hexdigest())

    def _relative(self, link: str) -> str:
        """Return the part of a next link behind the URL of the source.

        Raises:
            RedirectedError: it leads elsewhere, where the token must not be sent.
        """
        url = self.client.source.url
        try:
            target = httpx.URL(url).join(link)
            host = f"{target.scheme}://{target.host}"
            is_ours = origin_of(target) == origin_of(httpx.URL(url)) and not target.userinfo
        except (httpx.InvalidURL, ValueError):
            host, is_ours = "an address that cannot be read", False
        prefix = urlsplit(url).path
        path = target.raw_path.decode("ascii") if is_ours else ""
        if not is_ours or not path.startswith(f"{prefix}/"):
            raise RedirectedError(
                f"the next page is at {self.client.redaction.hide(host)}, not at the configured address; "
                "nothing was sent there",
                where=self.client.where("GET", url),
                hint="set 'url' to the address by which the directory names itself, or find out what answers there",
                status=302,
            )
        return path.removeprefix(prefix)


def _early_link(response: httpx.Response) -> str | None:
    """Return the next link of an answer that is not read yet: in its header, or near an end of its body."""
    if header := response.links.get("next", {}).get("url"):
        return header
    body = response.content
    found = _NEXT_LINK.search(body[:_NEAR]) or _NEXT_LINK.search(body[-_NEAR:])
    try:
        link = orjson.loads(found[1]) if found else None
    except orjson.JSONDecodeError:
        return None
    return link if isinstance(link, str) and link else None


def pick(record: Any, shape: Shape) -> dict[str, Any]:
    """Return the columns of a record that are in the shape: texts, numbers, booleans and lists of them."""
    if not isinstance(record, dict):
        return {}
    picked: dict[str, Any] = {}
    for key, inner in shape.items():
        value = record.get(key)
        if value is None:
            continue
        if inner is not True:
            if isinstance(value, dict) and not isinstance(inner, bool):
                picked[key] = pick(value, inner)
        elif isinstance(value, list):
            picked[key] = [item for item in value if isinstance(item, str)]
        elif not isinstance(value, dict):
            is_number = type(value) is int and key in _IDS
            picked[key] = str(value) if is_number else value
    return picked


def as_list(document: Any) -> tuple[list[Any], str | None]:
    """Read a body that is a list.

    Raises:
        BadAnswerError: it is not a list.
    """
    if not isinstance(document, list):
        raise BadAnswerError("the answer is not a list")
    return document, None


def as_object(answer: Reply) -> dict[str, Any]:
    """Read a body that is an object.

    Raises:
        BadAnswerError: it is not an object.
    """
    document = parsed(answer.body)
    if not isinstance(document, dict):
        raise BadAnswerError("the answer is not an object")
    return document


def parsed(body: bytes) -> Any:
    """Parse a body that must be JSON, fast if it is plain. Raises ``BadAnswerError``."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return read_json(body)


def shape_of(*keys: str, **inner: Iterable[str]) -> Shape:
    """Return a shape: these columns, and these columns of objects inside."""
    return {**dict.fromkeys(keys, True), **{key: dict.fromkeys(columns, True) for key, columns in inner.items()}}
