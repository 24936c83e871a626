"""The simulator of the demo, in a process of its own."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import httpx
import pytest

from pipeline.errors import RenderError, UsageError
from pipeline.reporting.processes import Pool
from pipeline.simulator import apart


def test_it_answers_until_its_process_ends(tmp_path: Path) -> None:
    with Pool(1) as pool:
        beginning = pool.submit(apart.begin, 20, 7, tmp_path)
        while not beginning.is_done:  # asked for now, it would be made here
            time.sleep(0.01)
        begun = beginning.result()
        source = tomllib.loads(begun.configuration.read_text(encoding="utf-8"))["sources"]["prod"]
        login = {"username": source["username"], "password": begun.password}
        answer = httpx.post(f"{source['url']}/api/v1/authentication/login", data=login, trust_env=False)

    assert answer.json()["access_token"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(source["url"], trust_env=False)


def test_its_errors_arrive_here(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    with Pool(1) as pool:
        few = pool.submit(apart.begin, 19, 7, tmp_path)
        unwritable = pool.submit(apart.begin, 20, 7, taken)
        with pytest.raises(UsageError, match="too few"):
            few.result()
        with pytest.raises(RenderError, match="cannot be written"):
            unwritable.result()
