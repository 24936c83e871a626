"""Keeps what DuckDB's parser found in the shipped statements, beside them, as Python keeps its bytecode.

Parsing all models takes half a second, and they do not change between two commands. An entry belongs to the SHA-256
of a text, and the file to one version of DuckDB and of the modules that read the parse tree, so an entry is never out
of date. A user who can change the file can change the models beside it. Nothing is kept where Python keeps no
bytecode: in a folder that cannot be written, or with ``PYTHONDONTWRITEBYTECODE``.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

import duckdb
import orjson

from pipeline import resources

__all__ = ["find", "keep"]

#: The tables that a statement reads, the parameters that it binds, and a key of its rows if it shows one.
Found = tuple[Sequence[str], Sequence[str], Sequence[str] | None]


def find(text: str) -> Found | None:
    """Return what the parser found in this very text earlier, or None."""
    return _kept().get(_sha256(text))


def keep(found: Mapping[str, Found]) -> None:
    """Keep what the parser found in these texts and nothing else, if that is possible here; never raises."""
    entries = {_sha256(text): whole for text, whole in found.items()}
    if sys.dont_write_bytecode or entries.keys() == _kept().keys():
        return
    content = orjson.dumps({"made_by": _made_by(), "statements": entries}, option=orjson.OPT_SORT_KEYS)
    path = _path()
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True, parents=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            beside.write_bytes(content)
            beside.replace(path)  # other processes read the old file or the new one
        finally:
            beside.unlink(missing_ok=True)


@cache
def _kept() -> dict[str, Found]:
    """Return the entries on the disk; without any if the file is missing, broken or of another version."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        content = orjson.loads(_path().read_bytes())
        if content["made_by"] == _made_by():
            return {
                str(sha256): (tables, parameters, key)
                for sha256, (tables, parameters, key) in content["statements"].items()
            }
    return {}


def _path() -> Path:
    return Path(cache_from_source(str(resources.sql() / "statements.py"))).with_suffix(".json")


@cache
def _made_by() -> str:
    readers = b"".join(Path(__file__).with_name(name).read_bytes() for name in ("statement.py", "keys.py"))
    return f"duckdb {duckdb.__version__}, {hashlib.sha256(readers).hexdigest()}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
