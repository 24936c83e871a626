"""The rows of a sheet as the XML of a worksheet, which the database writes.

xlsxwriter needs 6 seconds for a million cells that are given to it one by one; DuckDB needs half a second for their
XML. So DuckDB writes the cells of long sheets, and xlsxwriter everything around them. What a cell looks like is in
ECMA-376, part 1, 18.3.1.4; escapes of the form ``_x000D_`` are in 22.4.2.4.

Constants: a cell holds 32,767 UTF-16 code units (Excel specifications and limits), a number keeps 15 digits, and
dates count days from 30 Dec 1899, which is right from 1 Mar 1900 on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.reporting import cells
from pipeline.tables.cells import letters
from pipeline.warehouse.database import Connection

__all__ = ["CELL_UNITS", "CUT", "INTEGERS", "SheetColumn", "StyleNumbers", "cut_count", "describe", "rows"]

CELL_UNITS = 32_767
#: Stands at the end of a text that was cut.
CUT = "… [cut]"
#: Whatever their characters are, so many fit into a cell together with the mark.
_CUT_AT = (CELL_UNITS - len(CUT)) // 2
_EXACT_INTEGERS = 10**15
INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_REALS = {"FLOAT", "DOUBLE"}
#: Controls, marks that change the direction of text, and what is no character: shown as U+FFFD (text.printable).
_HIDDEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{fffe}\x{ffff}]"
#: Text that a reader of the file would take for an escaped character.
_ESCAPE = "(_x[0-9A-Fa-f]{4}_)"
#: Any of these, a space at either end, or a start like that of a formula: such a text needs more than XML's escapes.
_UNUSUAL = rf"{_HIDDEN}|{_ESCAPE}|\r|^[\s=+@-]|\s$"
_BATCH = 4_000
#: Widths of columns in characters: of ids, whose start tells them apart, of names and of sentences, which wrap.
_ID_WIDTH, _NAME_WIDTH, _SENTENCE_WIDTH = 14, 28, 42
#: Most characters of what counts as a name.
_NAME = 60
#: Letters in the width of a digit, words that begin a new line considered.
_LETTERS = 1.1
#: Height of a line in points.
_LINE = 13
#: A row is at most 409 points high.
_MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of the sheet: its heading, its type, and of a text column the length and nature of its texts."""

    name: str
    kind: str
    longest: int
    is_unusual: bool

    @property
    def is_id(self) -> bool:
        """Return whether it holds ids or hashes, which people only compare."""
        return self.name.endswith(("id", "Id")) or self.name.startswith("SHA")

    @property
    def width(self) -> int:
        """Return the width in characters, with room for the heading and its filter button."""
        longest = {"DATE": 11, "TIMESTAMP": 19, "BOOLEAN": 6}.get(self.kind, self.longest)
        if self.kind in INTEGERS:
            longest += longest // 3  # thousands separators
        widest = _ID_WIDTH if self.is_id else _SENTENCE_WIDTH if longest > _NAME else _NAME_WIDTH
        return max(min(longest + 2, widest), len(self.name) + 4)

    @property
    def is_number(self) -> bool:
        """Return whether its cells are numbers, which stand on the right."""
        return self.kind in {*INTEGERS, *_REALS}

    @property
    def is_text(self) -> bool:
        """Return whether its cells are texts."""
        return self.kind not in {*INTEGERS, *_REALS, "BOOLEAN", "DATE", "TIMESTAMP"}


@dataclass(frozen=True, slots=True)
class StyleNumbers:
    """The numbers that the workbook gives its styles. A ``quoted`` text stays one when its cell is edited."""

    text: int
    quoted: int
    integer: int
    real: int
    day: int
    moment: int


def describe(connection: Connection, table: str) -> list[SheetColumn]:
    """Return the columns of a table but its column ``line``."""
    kinds = [(str(row[0]), str(row[1])) for row in connection.execute(f"describe {table}").fetchall()]
    shown = [(name, kind) for name, kind in kinds if name != "line"]
    looks = []
    for name, kind in shown:
        text = f"{_quoted(name)}::varchar"
        is_text = SheetColumn(name, kind, 0, False).is_text
        looks.append(f"coalesce(max(length({text})), 0)")
        looks.append(f"coalesce(bool_or(regexp_matches({text}, '{_UNUSUAL}')), false)" if is_text else "false")
    found = connection.execute(f"select {', '.join(looks)} from {table}").fetchall()[0]
    return [
        SheetColumn(name, kind, int(longest), bool(unusual) or longest > _CUT_AT)
        for (name, kind), longest, unusual in zip(shown, found[::2], found[1::2], strict=True)
    ]


def cut_count(connection: Connection, table: str, columns: list[SheetColumn], lines: int) -> int:
    """Return how many texts of the first lines are longer than a cell."""
    long = [_too_long(_quoted(column.name)) for column in columns if column.is_text and column.longest > _CUT_AT]
    if not long:
        return 0
    counts = " + ".join(f"count_if({each})" for each in long)
    query = f"select {counts} from {table} where line <= $lines"
    return int(connection.execute(query, {"lines": lines}).fetchall()[0][0])


def rows(
    connection: Connection, table: str, columns: list[SheetColumn], styles: StyleNumbers, lines: int, printed: int
) -> Iterator[str]:
    """Yield the first ``lines`` rows, some thousands at once; line 1 is the second row of the sheet.

    A row is as high as its first ``printed`` cells need.
    """
    shown = ", ".join(_cell(letters(place), column, styles) for place, column in enumerate(columns))
    select = f"""
        select concat('<row r="', row, '"', {_height(columns[:printed])}, '>', {shown}, '</row>')
        from (select *, (line + 1)::varchar as row from {table} where line between $first and $last)
        order by line
    """
    # One sort of all rows would hold the XML of the whole sheet.
    for first in range(1, lines + 1, _BATCH):
        found = connection.execute(select, {"first": first, "last": min(first + _BATCH - 1, lines)}).fetchall()
        yield "".join(row for (row,) in found)


def _height(columns: list[SheetColumn]) -> str:
    """Return the SQL of the height of a row whose texts wrap: not every program finds it out for itself."""
    lines = [
        f"ceil(length({_quoted(column.name)}) / {column.width * _LETTERS:.0f})"
        f" + length({_quoted(column.name)}) - length(replace({_quoted(column.name)}, chr(10), ''))"
        for column in columns
        if column.is_text and not column.is_id and (column.longest + 2 > column.width or column.is_unusual)
    ]
    if not lines:
        return "''"
    most = f"least(greatest({', '.join(f'coalesce({each}, 1)' for each in lines)}, 1), {_MOST_LINES})"
    return f"""if({most} > 1, ' ht="' || ({_LINE} * {most}) || '" customHeight="1"', '')"""


def _cell(letter: str, column: SheetColumn, styles: StyleNumbers) -> str:
    """Return the SQL of one cell, which is empty if its value is null."""
    value = _quoted(column.name)

    start = f"""'<c r="{letter}' || row || '" s="""

    def number(content: str, style: int) -> str:
        return f"""{start}"{style}"><v>' || {content} || '</v></c>'"""

    def text(content: str) -> str:
        return f"""{start}"{styles.text}" t="inlineStr"><is><t>' || {content} || '</t></is></c>'"""

    if column.kind in INTEGERS:
        cell = f"if(abs({value}) < {_EXACT_INTEGERS}, {number(value, styles.integer)}, {text(f'{value}::varchar')})"
    elif column.kind in _REALS:
        cell = f"if(isfinite({value}), {number(value, styles.real)}, {text(f'{value}::varchar')})"
    elif column.kind == "BOOLEAN":
        cell = f"""{start}"{styles.text}" t="b"><v>' || {value}::integer || '</v></c>'"""
    elif column.kind == "DATE":
        days = f"date_diff('day', date '1899-12-30', {value})"
        cell = f"if({value} >= date '1900-03-01', {number(days, styles.day)}, {text(f'{value}::varchar')})"
    elif column.kind == "TIMESTAMP":
        days = f"(epoch_us({value}) / 86400000000.0 + 25569)"
        iso = text(f"strftime({value}, '%Y-%m-%dT%H:%M:%S')")
        cell = f"if({value} >= timestamp '1900-03-01', {number(days, styles.moment)}, {iso})"
    elif column.is_unusual:
        cell = start + _unusual(f"{value}::varchar", styles)
    else:
        cell = text(_escaped(f"nullif({value}::varchar, '')"))
    return f"coalesce({cell}, '')"


def _unusual(text: str, styles: StyleNumbers) -> str:
    """Return the SQL of the rest of a cell whose text may be too long, look like a formula or hold any character."""
    style = f"if({cells.is_formula(text)}, {styles.quoted}, {styles.text})"
    fitting = f"if({_too_long(text)}, left({text}, {_CUT_AT}) || '{CUT}', nullif({text}, ''))"
    seen = f"regexp_replace({fitting}, '{_HIDDEN}', '\ufffd', 'g')"
    escaped = rf"replace(regexp_replace({seen}, '{_ESCAPE}', '_x005F\1', 'g'), chr(13), '_x000D_')"
    return (
        f""""' || {style} || '" t="inlineStr"><is><t xml:space="preserve">'"""
        f" || {_escaped(escaped)} || '</t></is></c>'"
    )


def _escaped(text: str) -> str:
    return f"replace(replace(replace({text}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"


def _too_long(text: str) -> str:
    r"""Return the SQL of the condition that a text has more UTF-16 code units than a cell holds."""
    pairs = rf"length(regexp_replace({text}, '[^\x{{10000}}-\x{{10ffff}}]', '', 'g'))"
    return f"(length({text}) > {_CUT_AT} and length({text}) + {pairs} > {CELL_UNITS})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
