"""What the parser found in a statement is kept beside the shipped models, and never used for another text."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.warehouse import parsed

FOUND = {"select distinct $a as b from graph.accounts": (["graph.accounts"], ["a"], ["b"])}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep bytecode, and so what was parsed, in a folder of the test; start each test as a new process would."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "pycache_prefix", str(tmp_path / "cache"))
        patch.setattr(sys, "dont_write_bytecode", True)
        importlib.reload(parsed)
        patch.setattr(sys, "dont_write_bytecode", False)
        yield tmp_path / "cache"
    importlib.reload(parsed)


def in_a_new_process() -> None:
    importlib.reload(parsed)


def kept(folder: Path) -> Path:
    [path] = folder.rglob("*.json")
    return path


def test_a_later_command_finds_what_was_parsed_and_only_for_the_same_text() -> None:
    parsed.keep(FOUND)
    in_a_new_process()
    [(text, found)] = FOUND.items()
    assert parsed.find(text) == found
    assert parsed.find(text + " ") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"made_by": null, "statements": {}}', b"\xff"])
def test_a_broken_file_is_ignored_and_replaced(folder: Path, content: bytes) -> None:
    parsed.keep(FOUND)
    kept(folder).write_bytes(content)
    in_a_new_process()
    assert parsed.find(next(iter(FOUND))) is None
    parsed.keep(FOUND)
    in_a_new_process()
    assert parsed.find(next(iter(FOUND))) is not None


def test_what_another_version_found_is_not_used(folder: Path) -> None:
    parsed.keep(FOUND)
    path = kept(folder)
    path.write_bytes(path.read_bytes().replace(b"duckdb ", b"duckdb 0."))
    in_a_new_process()
    assert parsed.find(next(iter(FOUND))) is None


def test_a_folder_that_cannot_be_written_does_no_harm(folder: Path) -> None:
    folder.write_text("a file where the folder would be")
    parsed.keep(FOUND)
    assert folder.is_file()


def test_nothing_is_kept_where_python_keeps_no_bytecode(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    parsed.keep(FOUND)
    assert not folder.exists()
