"""What tests of tables share: a cell as it is written, and the people who were read."""

from __future__ import annotations

from typing import Any

from pipeline.warehouse.database import Connection


def people(connection: Connection, columns: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from policy.roster order by row").fetchall()


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
