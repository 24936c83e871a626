"""The key of row values is made once for each database, and only its owner may read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import WarehouseError
from pipeline.extraction import read_row_key


def test_a_key_is_made_once_and_again_if_it_is_lost(tmp_path: Path) -> None:
    database = tmp_path / "access-review.duckdb"
    path = tmp_path / "access-review.duckdb.row-key"

    first = read_row_key(database)

    assert read_row_key(database) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    path.unlink()
    assert read_row_key(database) not in (first, b"")
    path.write_text("short\n")
    with pytest.raises(WarehouseError, match="damaged"):
        read_row_key(database)
