"""``review serve`` as a process: its sessions survive a kill, and it writes no secret to a file or to its output."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import httpx

from pipeline.review.store import ReviewStore
from pipeline.web.entrance import SECRET
from tests.e2e.program import command, surroundings
from tests.fakes.identity_provider import CLIENT_ID, Answer, ForgingProvider
from tests.web.attacked import csrf
from tests.web.campaigns import REVIEWER, make_store

CANARY = "canary-client-secret"


class Serving:
    """The program, from ``with`` to the end of the block, where it is killed."""

    def __init__(self, folder: Path) -> None:
        arguments = ("--config", str(folder / "access-review.toml"), "review", "serve", "--name", "2026-Q4")
        self._command = command(*arguments, "--port", "0")
        self._folder = folder
        self.output = ""

    def __enter__(self) -> Serving:
        with (self._folder.parent / "stderr.txt").open("ab") as errors:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=surroundings(**{SECRET: CANARY}),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"(http://[^/]+)/link/([\w-]{120})", line):
                self.url, self.owner_token = found[1], found[2]
                return self
        raise RuntimeError((self._folder.parent / "stderr.txt").read_text())

    def __exit__(self, *details: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        assert self._process.stdout is not None
        self.output = self._process.stdout.read()
        self._process.stdout.close()
        self._process.wait()


def test_a_killed_server_forgets_no_session_and_writes_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    campaign = folder / "out" / "campaigns" / "2026-Q4"
    campaign.mkdir(parents=True)
    make_store(campaign / "review.sqlite", people=3, items=2).close()
    with ForgingProvider(CANARY) as provider:
        provider.answer = Answer(email=REVIEWER)
        (folder / "access-review.toml").write_text(
            f'[web.oidc]\nissuer = "{provider.issuer}"\nclient_id = "{CLIENT_ID}"\n'
        )
        with Serving(folder) as serving:
            by_link, by_provider = httpx.Client(base_url=serving.url), httpx.Client(base_url=serving.url)
            by_link.get(f"/link/{serving.owner_token}")
            by_link.post("/link", data={"token": serving.owner_token})
            by_link.get(f"/link/{serving.owner_token}x")
            started = by_provider.get("/sign-in/openid").headers["Location"]
            by_provider.get(httpx.get(started).headers["Location"])
            tokens = {csrf(by_provider)}
            assert by_provider.post("/decide", data={"csrf": "wrong"}).status_code == 403
        output = serving.output
        cookies = {**by_link.cookies}, {**by_provider.cookies}
        with Serving(folder) as serving:
            seen = [
                httpx.get(serving.url + path, cookies=jar).status_code
                for jar, path in zip(cookies, ("/campaign", "/"), strict=True)
            ]
            assert seen == [200, 200]
            assert httpx.get(f"{serving.url}/link/{serving.owner_token}").status_code == 200
        by_link.close()
        by_provider.close()

    with ReviewStore.open(campaign / "review.sqlite") as store:
        assert [refusal.kind for refusal in store.refusals()] == ["csrf", "link"]
    secrets = {CANARY, serving.owner_token, *tokens, *cookies[0].values(), *cookies[1].values()}
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in secrets:
        assert secret.encode() not in written
        assert secret not in output + serving.output
