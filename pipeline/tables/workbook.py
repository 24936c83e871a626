"""Reads workbooks that people return: .xlsx and other formats of spreadsheets, measured before they are read.

The library allocates the whole rectangle up to the last cell of a sheet. A stray cell far out, or a small archive
that unpacks to a large one, would take gigabytes. Both are found first.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any
from xml.etree import ElementTree
from xml.parsers import expat

from pipeline.tables.cells import TableError, letters

__all__ = ["Sheet", "is_workbook", "read_sheets"]

#: Most cells in the rectangle of a sheet. A packet of 100,000 items has fewer.
_MOST_CELLS = 5_000_000
#: Most bytes of an unpacked workbook.
_MOST_BYTES = 500_000_000
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_SAVE_AS_XLSX = "open it in a spreadsheet and save it as .xlsx"
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_CELL_PLACE = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_CHUNK = 1 << 20
#: A cell with an error (#N/A), and a cell with a formula without a stored result. The library reads both as empty.
_ERROR = re.compile(rb'<(?:\w+:)?c\s(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_NO_RESULT = re.compile(
    rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*'
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The name of a sheet, and its cells from A1 on; an empty cell is None."""

    name: str
    rows: list[list[Any]]


def is_workbook(content: bytes) -> bool:
    """Return whether the bytes of a file are a workbook, whatever its name."""
    return content.startswith((_ZIP, _OLE))


def read_sheets(content: bytes) -> list[Sheet]:
    """Read every sheet of a workbook.

    Raises:
        TableError: it is not a workbook, has a password, has an unsupported format, or is too large.
    """
    import python_calamine

    if content.startswith(_ZIP):
        _measure(content)
    elif "EncryptedPackage".encode("utf-16-le") in content:
        raise _locked()
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [Sheet(name, _rows(book.get_sheet_by_name(name))) for name in _worksheets(book)]
    except python_calamine.PasswordError as error:
        raise _locked() from error
    except (python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError) as error:
        raise TableError(f"the workbook cannot be read: {error}", _SAVE_AS_XLSX) from error
    if content.startswith(_ZIP):
        _show_lost_values(content, sheets)
    return sheets


def _show_lost_values(content: bytes, sheets: Sequence[Sheet]) -> None:
    """Put words into cells with an error or with a formula without a result, which would look empty."""
    rows_of = {sheet.name: sheet.rows for sheet in sheets}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return
        for name, part in _parts(archive):
            text = archive.read(part)
            for pattern, words in ((_ERROR, "(an error)"), (_NO_RESULT, "(a formula without its result)")):
                for letters_, number in pattern.findall(text):
                    row, column = int(number) - 1, _position(letters_.decode()) - 1
                    rows = rows_of.get(name, ())
                    if row < len(rows) and column < len(rows[row]) and rows[row][column] is None:
                        rows[row][column] = words


def _worksheets(book: Any) -> list[str]:
    """Return the names of the sheets that have cells; a chart sheet has none."""
    import python_calamine

    kind = python_calamine.SheetTypeEnum.WorkSheet
    return [sheet.name for sheet in book.sheets_metadata if sheet.typ == kind]


def _rows(sheet: Any) -> list[list[Any]]:
    _refuse_too_many(sheet.name, sheet.total_height, sheet.total_width)
    return [[None if value == "" else value for value in row] for row in sheet.to_python(skip_empty_area=False)]


def _locked() -> TableError:
    return TableError(
        "the workbook is protected with a password", "open it, remove the password (File, Info), and save it again"
    )


def _measure(content: bytes) -> None:
    """Measure every sheet without holding it in memory.

    Raises:
        TableError: a sheet or the workbook is too large, or it is not a workbook of a supported format.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                raise TableError("the workbook is too large", "send back the packet alone, without other sheets")
            names = set(archive.namelist())
            if "xl/workbook.bin" in names:
                raise TableError("this is a binary workbook (.xlsb), which is not supported", _SAVE_AS_XLSX)
            if "xl/workbook.xml" in names:
                for name, part in _parts(archive):
                    if not _is_small(archive, part):
                        with archive.open(part) as stream:
                            _OfficeSheet(name).read(stream)
                _unpack(archive, names & {"xl/sharedStrings.xml", "xl/styles.xml"})
            elif "content.xml" in names:
                if b"encryption-data" in archive.read("META-INF/manifest.xml"):
                    raise _locked()
                with archive.open("content.xml") as stream:
                    _OpenDocument().read(stream)
            else:
                raise TableError("this is an archive, not a workbook", "send back the packet itself")
    except (zipfile.BadZipFile, expat.ExpatError, ElementTree.ParseError, KeyError, ValueError, EOFError) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(f"the workbook is damaged: {error}", "open it in a spreadsheet and save it again") from error
    except (NotImplementedError, RuntimeError, zipfile.LargeZipFile) as error:  # encrypted, or packed in another way
        raise TableError(f"the workbook cannot be unpacked: {error}", _SAVE_AS_XLSX) from error


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the name of each worksheet and the file that holds it."""
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - expat bounds entities
    targets = {
        each.get("Id"): str(each.get("Target", "")) for each in relations if "worksheet" in str(each.get("Type", ""))
    }
    for element in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():  # noqa: S314
        if element.tag.rpartition("}")[2] == "sheet":
            relation = next((value for key, value in element.items() if key.endswith("relationships}id")), None)
            if target := targets.get(relation):
                part = target.lstrip("/")
                yield str(element.get("name")), part if part.startswith("xl/") else f"xl/{part}"


def _is_small(archive: zipfile.ZipFile, part: str) -> bool:
    """Return whether a sheet is small by the places of its cells: a quick check, which most sheets pass."""
    columns: set[bytes] = set()
    rows: set[bytes] = set()
    cells = named = 0
    rest = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            text, _, tail = (rest + chunk).rpartition(b"<")
            rest = b"<" + tail
            places = _CELL_PLACE.findall(text)
            columns.update(column for column, _ in places)
            rows.update(row for _, row in places)
            named += len(places)
            cells += len(_CELL.findall(text))
    if not 0 < cells == named:
        return False  # a cell without a place, or other markup: to be read in full
    return max(map(int, rows)) * max(_position(column.decode()) for column in columns) <= _MOST_CELLS


def _unpack(archive: zipfile.ZipFile, names: set[str]) -> None:
    """Unpack files and discard them, to check their size and checksum."""
    for name in names:
        with archive.open(name) as stream:
            while stream.read(_CHUNK):
                pass


def _refuse_too_many(sheet: str, rows: int, columns: int) -> None:
    if rows * columns > _MOST_CELLS:
        raise TableError(
            f"sheet '{sheet}' goes as far as {letters(columns - 1)}{rows}, which is too large to read",
            "delete cells outside the table, or copy the table alone into a new workbook",
        )


class _Measure:
    """Follows the cells of a sheet with content, and stops at the first one that is too far out."""

    def __init__(self, sheet: str) -> None:
        self.sheet = sheet
        self.row = self.column = self.rows = self.columns = 0

    def read(self, stream: IO[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda tag, attributes: self.start(tag.rpartition(":")[2], attributes)
        parser.EndElementHandler = lambda tag: self.end(tag.rpartition(":")[2])
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def end(self, tag: str) -> None:
        """Handle the end of an element; do nothing by default."""

    def fill(self, row: int, column: int) -> None:
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        _refuse_too_many(self.sheet, self.rows, self.columns)


class _OfficeSheet(_Measure):
    """A sheet of Office Open XML: rows and cells have a place, or follow one another."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
        elif tag == "c":
            self.column += 1
            if found := _REFERENCE.fullmatch(attributes.get("r", "")):
                self.row, self.column = int(found[2]), _position(found[1])
        elif tag in {"v", "t", "f"}:
            self.fill(self.row, self.column)


class _OpenDocument(_Measure):
    """The sheets of an OpenDocument: rows and cells follow one another, with a number of repeats."""

    def __init__(self) -> None:
        super().__init__("")
        self.row_repeats = 1

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        values = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if tag == "table":
            self.sheet = values.get("name", "")
            self.row = self.rows = self.columns = 0
        elif tag == "table-row":
            self.row_repeats, self.column = int(values.get("number-rows-repeated", 1)), 0
        elif tag in {"table-cell", "covered-table-cell"}:
            self.column += int(values.get("number-columns-repeated", 1))
            if "value-type" in values or "formula" in values:
                self.fill(self.row + self.row_repeats, self.column)
        elif tag == "p":
            self.fill(self.row + self.row_repeats, self.column)

    def end(self, tag: str) -> None:
        if tag == "table-row":
            self.row += self.row_repeats


def _position(name: str) -> int:
    """Return the position of a column, counted from 1."""
    position = 0
    for letter in name:
        position = position * 26 + ord(letter) - ord("A") + 1
    return position
