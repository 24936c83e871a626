"""Reads CSV in the dialects that spreadsheets, databases and HR systems write.

The encoding is UTF-8 with or without a byte order mark, UTF-16, or Windows-1252. The separator is a comma, semicolon
or tab; a first line ``sep=;`` may name it. Cells may be missing at the end of a line, blank lines and lines of
separators are skipped, and any line ends are accepted. Anything ambiguous is refused with its line.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipeline.errors import AccessReviewError
from pipeline.tables.cells import TableError, column_name, refuse_repeated, visible
from pipeline.wording import counted

__all__ = ["CsvTable", "decode", "read_table", "records"]

_DELIMITERS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?[;,\t]*(?:\r\n?|\n|$)', re.IGNORECASE)
#: Records that are searched for the header, to find the separator.
_HEADER_RECORDS = 20
#: Bytes of a file that are read at once.
_PART_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: A letter of more than one byte in UTF-8; in Windows-1252 hardly any word has these bytes.
_UTF8_LETTER = re.compile(rb"[\xc3-\xcf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
#: How a web page begins: an export whose session has ended is often the page for signing in.
_WEB_PAGE = re.compile(r"\s*<(?:!doctype|html)\b", re.IGNORECASE)
_SAVE_AS_UTF8 = "save it as 'CSV UTF-8'"


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file: ``headings`` as they are written, ``names`` in lower case, and the file.

    The records are read from the file when they are wanted: those of a large company take gigabytes as text.
    """

    headings: tuple[str, ...]
    names: tuple[str, ...]
    _file: _TextFile
    _delimiter: str

    @property
    def encoding(self) -> str:
        """The encoding of the file."""
        return self._file.encoding

    @property
    def sha256(self) -> str:
        """The hash of the file's bytes."""
        return self._file.sha256

    @property
    def ends_with_newline(self) -> bool:
        """Whether the file ends with an end of line, as nearly every program writes one."""
        return self._file.ends_with_newline

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the cells of each record below the header, without blank ones.

        A record has at most as many cells as there are headings; cells may be missing at its end.

        Raises:
            TableError: a line is not CSV, or has a cell without a heading, or the file has changed meanwhile.
        """
        width = len(self.headings)
        unnamed = [index for index, name in enumerate(self.names) if not name]
        below_header = False
        for line, cells in records(self._file.lines(), self._delimiter):
            if not any(cells) or not any(map(str.strip, cells)):
                continue
            if not below_header:
                below_header = True
                continue
            if len(cells) > width:
                raise TableError(
                    f"line {line} has {counted(len(cells), 'cell')}, the header has {width}",
                    f"put a cell that holds '{_shown(self._delimiter)}' in \"quotes\", or remove the extra cell",
                )
            for index in unnamed:
                if index < len(cells) and cells[index].strip():
                    raise TableError(
                        f"line {line} has a cell in column {index + 1}, which has no heading",
                        f"put a cell that holds '{_shown(self._delimiter)}' in \"quotes\", or give the column a name",
                    )
            yield line, cells


def read_table(path: Path, *, known: Collection[str], error: type[AccessReviewError]) -> CsvTable:
    """Read a CSV file up to its header. ``known`` are names of columns, which help to find the separator.

    Raises:
        error: the file cannot be read, is not CSV, or has the same column twice.
    """
    try:
        file = _inspected(path)
        delimiter = delimiter_of(file.lines(), known)
        header = next((cells for _, cells in records(file.lines(), delimiter) if any(map(str.strip, cells))), [])
        headings = tuple(map(visible, header))
        names = tuple(map(column_name, headings))
        refuse_repeated(names)
    except OSError as cause:
        raise error(
            f"the file cannot be read: {cause.strerror}",
            where=str(path),
            hint="name a CSV file that you can read",
        ) from cause
    except TableError as cause:
        raise error(cause.message, where=str(path), hint=cause.hint) from cause
    return CsvTable(headings, names, file, delimiter)


@dataclass(frozen=True, slots=True)
class _TextFile:
    """A file of text that was read to its end once. ``version`` is what its status said then.

    ``text`` is kept of what can be read only once, such as a pipe.
    """

    path: Path
    version: tuple[int, ...]
    encoding: str
    sha256: str
    ends_with_newline: bool
    text: str | None = None

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends; refuse a file that has changed."""
        if self.text is not None:
            yield from io.StringIO(self.text, newline="")
            return
        # A byte order mark of UTF-8 is no text.
        encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        try:
            with self.path.open(encoding=encoding, newline="") as stream:
                yield from stream
                is_same = _version(stream) == self.version
        except (OSError, UnicodeDecodeError) as error:
            raise _changed() from error
        if not is_same:
            raise _changed()


def _changed() -> TableError:
    return TableError("the file was changed while it was read", "run this again when no program writes it")


def _version(stream: IO[Any]) -> tuple[int, ...]:
    status = os.fstat(stream.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns


def _inspected(path: Path) -> _TextFile:
    """Read a file in parts to find out how it is encoded. Only one that is not plain UTF-8 is read whole for that.

    Raises:
        OSError: it cannot be read.
        TableError: as :func:`decode`.
    """
    if not path.is_file():
        return _read_whole(path, is_kept=True)
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    is_plain = True
    last = b""
    with path.open("rb") as stream:
        version = _version(stream)
        while part := stream.read(_PART_BYTES):
            is_plain = is_plain and _continues(decoder, part, is_first=not last)
            digest.update(part)
            last = part
    if is_plain and not decoder.getstate()[0]:
        return _TextFile(path, version, "utf-8", digest.hexdigest(), last.endswith((b"\n", b"\r")))
    return _read_whole(path, is_kept=False)


def _read_whole(path: Path, *, is_kept: bool) -> _TextFile:
    with path.open("rb") as stream:
        version = _version(stream)
        content = stream.read()
    text, encoding = decode(content)
    sha256 = hashlib.sha256(content).hexdigest()
    ends_with_newline = text.endswith(("\n", "\r"))
    return _TextFile(path, version, encoding, sha256, ends_with_newline, text if is_kept else None)


def _continues(decoder: codecs.IncrementalDecoder, part: bytes, *, is_first: bool) -> bool:
    """Return whether the next part of a file is plain UTF-8, and the first one no other kind of file."""
    marks = (*_BINARY, _GZIP, *(mark for mark, _ in _BYTE_ORDER_MARKS))
    if b"\0" in part or (is_first and part.startswith(marks)):
        return False
    try:
        text = decoder.decode(part)
    except UnicodeDecodeError:
        return False
    return not (is_first and _WEB_PAGE.match(text))


def decode(content: bytes) -> tuple[str, str]:
    """Return the text of a file and its encoding: that of its byte order mark, else UTF-8, else Windows-1252.

    Raises:
        TableError: it is a workbook, or its bytes are not text in any of these encodings.
    """
    if content.startswith(_BINARY):
        raise TableError("this is a workbook, not a CSV file", "open it in a spreadsheet and save it as 'CSV UTF-8'")
    if content.startswith(_GZIP):
        raise TableError("this is a compressed file, not a CSV file", "unpack it, and give the file that was in it")
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    beginning = content[:4096]
    if encoding is None and beginning.count(0) * 10 > len(beginning):  # fewer are stray NULs, reported by line below
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"  # without a mark
    try:
        text = content.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if encoding is not None:
            raise TableError(f"the file is not {encoding.upper()} text: line {line}", _SAVE_AS_UTF8) from error
        if _UTF8_LETTER.search(content):
            raise TableError(
                f"line {line} is not UTF-8, although other lines are", f"correct that line, or {_SAVE_AS_UTF8} again"
            ) from error
        encoding = "windows-1252"
        try:
            text = content.decode("cp1252")  # what Excel writes by default
        except UnicodeDecodeError as undefined:
            line = content.count(b"\n", 0, undefined.start) + 1
            raise TableError(f"line {line} is neither UTF-8 nor Windows-1252 text", _SAVE_AS_UTF8) from undefined
    if _WEB_PAGE.match(text):
        raise TableError(
            "this is a web page, not a CSV file",
            "sign in to the application, export it again, and look into the file",
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TableError(f"line {line} has a NUL character, which text never has", _SAVE_AS_UTF8)
    return text, encoding or "utf-8"


def delimiter_of(lines: Iterable[str], known: Collection[str]) -> str:
    """Return the separator: that of ``sep=``, else the one with the most known headings, then the most cells."""
    beginning = list(itertools.islice(lines, _HEADER_RECORDS))
    if beginning and (said := _SEPARATOR_LINE.match(beginning[0])):
        return said[1]

    def headings(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(beginning, delimiter=delimiter, skipinitialspace=True)
        try:
            return max(
                ((sum(column_name(cell) in known for cell in cells), len(cells)) for cells in rows), default=(0, 0)
            )
        except csv.Error:  # reading the records reports the line
            return 0, 0

    return max(_DELIMITERS, key=headings)


def records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of its first line, blank ones too; a quoted cell may span lines.

    ``lines`` have their ends.

    Raises:
        TableError: a quote is not closed, or text follows a closing quote.
    """
    rest = iter(lines)
    first = list(itertools.islice(rest, 1))
    skipped = 1 if first and _SEPARATOR_LINE.match(first[0]) else 0
    reader = csv.reader(
        itertools.chain(first[skipped:], rest), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise TableError(f"line {line} is not CSV: {error}", "close every quote, or save it as CSV") from error
        yield line, cells


def _shown(delimiter: str) -> str:
    return "a tab" if delimiter == "\t" else delimiter
