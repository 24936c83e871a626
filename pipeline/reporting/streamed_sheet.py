"""A worksheet of xlsxwriter that takes the XML of its rows. It is apart because xlsxwriter is imported late."""

from __future__ import annotations

from collections.abc import Iterable

from xlsxwriter.worksheet import Worksheet

__all__ = ["StreamedSheet"]


class StreamedSheet(Worksheet):  # type: ignore[misc]
    """A worksheet in constant memory: cells are written first, then rows as XML, then cells below them."""

    def write_rows(self, rows: Iterable[str], last_row: int, last_column: int) -> None:
        """Write rows that end with the cell in this row and column, both counted from 0."""
        self._write_single_row(last_row)  # what was written before, which waits for the next row
        self._check_dimensions(last_row, last_column)
        for part in rows:
            self.row_data_fh.write(part)
