"""``oidc-provider-mock``, an OpenID Connect provider written elsewhere, as a program of its own on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import httpx

_USERS = (
    {"sub": "ann", "email": "Ann@Example.com", "email_verified": True},
    {"sub": "unverified", "email": "unverified@example.com", "email_verified": False},
)


class ProviderElsewhere:
    """The provider, from ``with`` to the end of the block. ``users`` are added to its own."""

    def __init__(self, *users: dict[str, object]) -> None:
        self._users = [*_USERS, *users]
        self.issuer = ""

    def __enter__(self) -> ProviderElsewhere:
        arguments = [part for user in self._users for part in ("--user-claims", json.dumps(user))]
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", "0", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                self.issuer = found[1]
                return self
        raise RuntimeError("the provider did not start")

    def __exit__(self, *details: object) -> None:
        self._process.terminate()
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._process.wait()

    def sign_in(self, url: str, user: str) -> httpx.Response:
        """Answer the form of the provider as a user would, and return where it sends the browser."""
        return httpx.post(url, data={"sub": user})

    def decline(self, url: str) -> httpx.Response:
        """Decline to sign in, and return where that sends the browser."""
        return httpx.post(url, data={"action": "deny"})
