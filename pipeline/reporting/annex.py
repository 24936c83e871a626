"""The annex: every account of the population, as a separate PDF.

WeasyPrint needs time and memory for every cell of a table. Here each column of a page is one preformatted text with
lines of equal height, and there are few columns. So the rows of a page are known in advance, and parts of a few
hundred rows can be rendered in several processes and joined. What every page repeats (title, headings, rules) is
rendered once and drawn below the rows of each page. A screen reader would read column after column, so the annex has
no tags and refers to population.csv.
"""

from __future__ import annotations

import io
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.reporting import pdf, templating
from pipeline.reporting.processes import Pool, Task
from pipeline.reporting.text import shorten
from pipeline.reporting.view import View
from pipeline.warehouse.database import Connection
from pipeline.warehouse.saved import statement

__all__ = ["ROWS_A_PAGE", "AnnexColumn", "AnnexPage", "part_count", "rows", "write"]

#: Lines of 4 mm that a landscape page has room for (annex.css sets their height).
ROWS_A_PAGE = 40
#: Pages in one part. More need more memory; fewer gain little.
_PAGES_A_PART = 12


@dataclass(frozen=True, slots=True)
class AnnexColumn:
    """One column of a page: its left edge and width in mm, the letters that fit, and its headings.

    ``heads`` are headings with their left edge on the page; a column of figures holds several values side by side.
    """

    key: str
    left: float
    width: float
    letters: int
    heads: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class AnnexPage:
    """One page of rows: its number, and the text of each column with one line for each row."""

    number: int
    columns: tuple[str, ...]


#: As wide as a digit, to align numbers in one text.
_FIGURE_SPACE = "\u2007"
#: Width of a figure, and of a figure space, in mm: 0.646 em of 7.2 pt.
_FIGURE = 1.64
#: Figure spaces and hair spaces (0.091 em) that make a word as wide as a date, 6.1 em: the role follows in one text.
_DATE_PADDING = {"–": (8, 5), "never": (5, 2), "unknown": (2, 6)}
#: Key, width in mm, letters, and headings with their distance in digits; None comes after the digits of #.
_COLUMNS = (
    ("name", 62.0, 35, (("#", 0), ("Name", None))),
    ("address", 62.0, 40, (("E-mail, else user name", 0),)),
    ("source", 18.0, 11, (("Source", 0),)),
    ("details", 127.0, 56, (("Open", 0), ("Created", 5), ("Last seen", 15.5), ("Role, status, kind, origin", 26.9))),
)


def part_count(accounts: int) -> int:
    """Return in how many parts the annex of this many accounts is rendered, without its cover."""
    return math.ceil(accounts / (ROWS_A_PAGE * _PAGES_A_PART))


def write(
    connection: Connection, view: View, templates: Path, path: Path, progress: Callable[[int, int], None], pool: Pool
) -> frozenset[str]:
    """Write the annex of the current build; return the characters that no font could show.

    The processes of ``pool`` render its parts. ``progress`` receives the number of rendered pages and of all pages.
    The same build gives the same bytes.

    Raises:
        RenderError: Pango is missing, a template is wrong, or a process of the pool was killed.
    """
    total = int(view.figures["accounts"])
    pages = 1 + math.ceil(total / ROWS_A_PAGE)
    columns = _columns(total, several_sources=len(view.sources) > 1)
    fill = templating.Filler(templates)
    # Two pages behind the cover are the frames of the others: of a full page, and of the last one.
    frames = (ROWS_A_PAGE, (total - 1) % ROWS_A_PAGE + 1)
    documents = itertools.chain(
        [("Annex", 1, fill("annex_cover.html", view, columns=columns, pages=pages, frames=frames))],
        _parts(connection, columns, total, pages, lambda values: fill("annex.html", view, columns=columns, **values)),
    )
    missing: set[str] = set()
    parts: list[tuple[str, bytes]] = []
    done = 0
    for title, count, (content, characters) in _rendered(documents, templates, pool):
        parts.append((title, content))
        missing |= characters
        done += count
        progress(done, pages)
    _join(parts, view, path)
    return frozenset(missing)


def rows(connection: Connection) -> Connection:
    """Return a cursor over every account, in the order of the annex: seven values a row."""
    return connection.cursor().execute(statement("reporting", "annex_rows"))


def _columns(total: int, *, several_sources: bool) -> tuple[AnnexColumn, ...]:
    """Place the columns side by side; with a single source, the address gets the room of the source."""
    placed = []
    left = 0.0
    spare = next(width for key, width, _, _ in _COLUMNS if key == "source")
    for key, own, letters, heads in _COLUMNS:
        if key == "source" and not several_sources:
            continue
        wide = key == "address" and not several_sources
        width = own + spare if wide else own
        before_name = len(str(total)) + 2
        edges = tuple((title, left + _FIGURE * (before_name if at is None else at)) for title, at in heads)
        placed.append(AnnexColumn(key, left, width - 2, letters + 11 if wide else letters, edges))
        left += width
    return tuple(placed)


def _parts(
    connection: Connection,
    columns: Sequence[AnnexColumn],
    total: int,
    pages: int,
    fill: Callable[[dict[str, Any]], str],
) -> Iterator[tuple[str, int, str]]:
    """Yield each part as its bookmark, its number of pages and its HTML, without holding all rows."""
    cursor = rows(connection)
    letters = {column.key: column.letters for column in columns}
    number = 1
    place = 0
    figures = len(str(total))
    while fetched := cursor.fetchmany(ROWS_A_PAGE * _PAGES_A_PART):
        texts: list[list[str]] = []
        for name, address, source, role, findings, created, seen in fetched:
            place += 1
            values = {"address": address, "source": source}
            line = {key: shorten(_plain(value), letters[key]) for key, value in values.items() if key in letters}
            line["name"] = f"{_padded(place, figures)}{_FIGURE_SPACE * 2}{shorten(_plain(name), letters['name'])}"
            dates = f"{_as_wide_as_a_date(created)}{_FIGURE_SPACE}{_as_wide_as_a_date(seen)}"
            fitting = shorten(_plain(role), letters["details"])
            line["details"] = f"{_padded(findings, 3)}{_FIGURE_SPACE * 2}{dates}{_FIGURE_SPACE * 2}{fitting}"
            texts.append([line[column.key] for column in columns])
        part = []
        for start in range(0, len(texts), ROWS_A_PAGE):
            number += 1
            lines = texts[start : start + ROWS_A_PAGE]
            part.append(AnnexPage(number, tuple("\n".join(column) for column in zip(*lines, strict=True))))
        title = f"{shorten(_plain(fetched[0][0]), 24)} to {shorten(_plain(fetched[-1][0]), 24)}"
        yield title, len(part), fill({"page_list": part, "pages": pages})


def _plain(text: str | None) -> str:
    """Return a text on one line: a line end in a name would move every row after it."""
    return " ".join((text or "").split())


def _padded(number: int, figures: int) -> str:
    return str(number).rjust(figures, _FIGURE_SPACE)


def _as_wide_as_a_date(text: str) -> str:
    figures, hairs = _DATE_PADDING.get(text, (0, 0))
    return text + _FIGURE_SPACE * figures + "\u200a" * hairs


def _rendered(
    documents: Iterator[tuple[str, int, str]], templates: Path, pool: Pool
) -> Iterator[tuple[str, int, tuple[bytes, frozenset[str]]]]:
    """Render in the processes of the pool and in this one; yield in order."""
    waiting: deque[tuple[str, int, Task[tuple[bytes, frozenset[str]]]]] = deque()

    def first() -> tuple[str, int, tuple[bytes, frozenset[str]]]:
        title, count, task = waiting.popleft()
        return title, count, task.result()

    for title, count, document in documents:
        waiting.append((title, count, pool.submit(pdf.render_part, document, templates)))
        if len(waiting) > 2 * pool.processes + 1:  # so that the others have the next ones while this one renders
            pool.help()
        while waiting and waiting[0][2].is_done:
            yield first()
    while pool.help():
        pass
    while waiting:
        yield first()


def _join(parts: Sequence[tuple[str, bytes]], view: View, path: Path) -> None:
    """Join the parts, with a bookmark for each, and draw the frame below the rows of each page."""
    import pikepdf

    joined = pikepdf.Pdf.new()
    # The parts stay open and in memory, about 90 bytes a row, until the whole is saved.
    sources = [pikepdf.Pdf.open(io.BytesIO(content)) for _, content in parts]
    cover, *framed = sources[0].pages
    frame, last_frame = (joined.copy_foreign(page.as_form_xobject()) for page in framed)
    drawn = joined.make_stream(b"q /Frame Do Q\n")
    with joined.open_outline() as outline:
        for (title, _), source in zip(parts, sources, strict=True):
            outline.root.append(pikepdf.OutlineItem(title, len(joined.pages)))
            joined.pages.extend([cover] if source is sources[0] else source.pages)
    for page in joined.pages[1:]:
        is_last = page.index == len(joined.pages) - 1
        page.add_resource(last_frame if is_last else frame, pikepdf.Name.XObject, pikepdf.Name.Frame)
        page.contents_add(drawn, prepend=True)
    written = f"D:{_stamp(view.snapshot['finished_at'])}Z"
    title = f"Annex to the access review of {shorten(view.snapshot['organization'], 120)}: the whole population"
    joined.docinfo["/Title"] = title
    joined.docinfo["/Creator"] = f"sisense-access-review {view.snapshot['tool_version']}"
    joined.docinfo["/CreationDate"] = joined.docinfo["/ModDate"] = written
    joined.Root.Lang = pikepdf.String("en")
    joined.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
    joined.save(path, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    for source in sources:
        source.close()
    joined.close()


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%S}"
