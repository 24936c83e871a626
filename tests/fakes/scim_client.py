"""scim2-client, an independent SCIM client, over httpx."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import httpx
from scim2_client import BaseSyncSCIMClient


class OverHttp(BaseSyncSCIMClient):
    """An identity provider that pushes users through scim2-client."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self.http = http

    def _stays_under_base_url(self, endpoint: str) -> bool:
        base = str(self.http.base_url)
        return urljoin(base, endpoint.lstrip("/")).startswith(base)

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        return self.http.request(method, url, **kwargs)
