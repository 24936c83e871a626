"""The annex: every account of the population, as a separate PDF.

WeasyPrint needs about a millisecond for every cell of a table. Here lines have equal height, so the rows of a page
are known in advance, and their text is written into the page itself, in the bundled font. WeasyPrint sets only texts
that need another font, on pages with nothing else that are drawn over ours; several processes render parts of a few
such pages. What every page repeats (title, headings, rules) is rendered once and drawn below the
rows of each page. A screen reader would read column after column, so the annex has no tags and refers to
population.csv.
"""

from __future__ import annotations

import io
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pipeline.reporting import pdf, templating
from pipeline.reporting.annex_pages import ROWS_A_PAGE, AnnexColumn, AnnexPages
from pipeline.reporting.processes import Pool, Task
from pipeline.reporting.text import printable, shorten
from pipeline.reporting.typeface import Typeface
from pipeline.reporting.view import View
from pipeline.warehouse.database import Connection
from pipeline.warehouse.saved import statement

__all__ = ["ROWS_A_PAGE", "document_count", "rows", "write"]

#: Pages of one bookmark, and of one document of WeasyPrint. More need more memory; fewer gain little.
_PAGES_A_PART = 12
#: As wide as a digit, to align numbers.
_FIGURE_SPACE = "\u2007"
#: Width of a figure, and of a figure space, in mm: 0.646 em of 7.2 pt.
_FIGURE = 1.64
#: Between the texts of neighbouring columns, in mm.
_GAP = 1.2
#: Key, heading, width in mm, and most letters.
_COLUMNS = (
    ("place", "#", 0.0, 9),  # as wide as the number of accounts
    ("name", "Name", 62.0, 35),
    ("address", "E-mail, else user name", 62.0, 40),
    ("source", "Source", 18.0, 11),
    ("findings", "Open", 8.2, 9),
    ("created", "Created", 17.1, 10),
    ("seen", "Last seen", 18.8, 10),
    ("role", "Role, status, kind, origin", 82.9, 56),
)


def document_count(connection: Connection) -> int:
    """Return at most how many documents WeasyPrint renders for the annex of the current build."""
    ((others, accounts),) = connection.execute(statement("reporting", "annex_other_scripts")).fetchall()
    return 1 + min(int(others), -(-int(accounts) // (ROWS_A_PAGE * _PAGES_A_PART)))


def write(
    connection: Connection, view: View, templates: Path, path: Path, progress: Callable[[int, int], None], pool: Pool
) -> frozenset[str]:
    """Write the annex of the current build; return the characters that no font could show.

    The processes of ``pool`` render what needs WeasyPrint. ``progress`` receives the number of finished pages and of
    all pages. The same build gives the same bytes.

    Raises:
        RenderError: Pango is missing, a template is wrong, or a process of the pool was killed.
    """
    total = int(view.figures["accounts"])
    count = 1 + math.ceil(total / ROWS_A_PAGE)
    columns = _columns(total, several_sources=len(view.sources) > 1)
    fill = templating.Filler(templates)
    # Two pages behind the cover are the frames of the others: of a full page, and of the last one.
    frames = (ROWS_A_PAGE, (total - 1) % ROWS_A_PAGE + 1)
    cover = fill("annex_cover.html", view, columns=columns, pages=count, frames=frames)
    pages = AnnexPages(Typeface(templates / "fonts" / "Inter-Regular.otf"), columns, count)
    bookmarks = [("Annex", 0)]

    def documents() -> Iterator[tuple[list[int], str]]:
        yield [0], cover
        for title, part in _parts(connection, columns, total):
            bookmarks.append((title, len(pages.contents) + 1))
            left = [pages.draw(texts) for texts in part]
            if documented := [page for page in left if page]:
                numbers = [page.number for page in documented]
                yield numbers, fill("annex.html", None, columns=columns, page_list=documented)
            progress(len(pages.contents) + 1, count)

    missing: set[str] = set()
    rendered: list[tuple[list[int], bytes]] = []
    for numbers, (content, characters) in _rendered(documents(), templates, pool):
        rendered.append((numbers, content))
        missing |= characters
    _join(pages, rendered, bookmarks, view, path)
    return frozenset(missing)


def rows(connection: Connection) -> Connection:
    """Return a cursor over every account, in the order of the annex."""
    return connection.cursor().execute(statement("reporting", "annex_rows"))


def _columns(total: int, *, several_sources: bool) -> tuple[AnnexColumn, ...]:
    """Place the columns side by side; with a single source, the address gets the room of the source."""
    placed = []
    left = 0.0
    number = _FIGURE * (len(str(total)) + 2)
    for key, title, width, letters in _COLUMNS:
        room, most = width, letters
        if key == "source" and not several_sources:
            continue
        if key == "place":
            room = number
        elif key == "name":
            room = width - number
        elif key == "address" and not several_sources:
            room, most = next((width + own, letters + more) for each, _, own, more in _COLUMNS if each == "source")
        placed.append(AnnexColumn(key, title, round(left, 2), room - _GAP, most))
        left += room
    return tuple(placed)


def _parts(
    connection: Connection, columns: Sequence[AnnexColumn], total: int
) -> Iterator[tuple[str, list[list[list[str]]]]]:
    """Yield a bookmark and its pages, each of rows with a text for each column, without holding all rows."""
    cursor = rows(connection)
    names = [column[0] for column in cursor.description or ()]
    figures = {"place": len(str(total)), "findings": 3}
    place = 0
    while fetched := cursor.fetchmany(ROWS_A_PAGE * _PAGES_A_PART):
        texts = []
        for row in fetched:
            place += 1
            values = dict(zip(names, row, strict=True), place=place)
            texts.append(
                [
                    str(values[each.key]).rjust(figures[each.key], _FIGURE_SPACE)
                    if each.key in figures
                    else _fitting(values[each.key], each.letters)
                    for each in columns
                ]
            )
        title = f"{_fitting(fetched[0][0], 24)} to {_fitting(fetched[-1][0], 24)}"
        yield title, [texts[start : start + ROWS_A_PAGE] for start in range(0, len(texts), ROWS_A_PAGE)]


def _fitting(text: str | None, letters: int) -> str:
    """Return a text on one line, cut to so many letters: a line end in a name would move every row after it."""
    return printable(shorten(" ".join((text or "").split()), letters))


def _rendered(
    documents: Iterator[tuple[list[int], str]], templates: Path, pool: Pool
) -> Iterator[tuple[list[int], tuple[bytes, frozenset[str]]]]:
    """Render in the processes of the pool and in this one; yield in order."""
    waiting: deque[tuple[list[int], Task[tuple[bytes, frozenset[str]]]]] = deque()
    for numbers, document in documents:
        waiting.append((numbers, pool.submit(pdf.render_part, document, templates)))
        if len(waiting) > 2 * pool.processes + 1:  # so that the others have the next ones while this one renders
            pool.help()
        while waiting and waiting[0][1].is_done:
            done, task = waiting.popleft()
            yield done, task.result()
    while pool.help():
        pass
    for numbers, task in waiting:
        yield numbers, task.result()


def _join(
    pages: AnnexPages,
    rendered: Sequence[tuple[list[int], bytes]],
    bookmarks: Sequence[tuple[str, int]],
    view: View,
    path: Path,
) -> None:
    """Put frame, rows and what WeasyPrint has set onto each page, behind the cover, and save the whole."""
    import pikepdf
    from pikepdf import Dictionary, Name

    joined = pikepdf.Pdf.new()
    # The documents stay open and in memory until the whole is saved.
    sources = [pikepdf.Pdf.open(io.BytesIO(content)) for _, content in rendered]
    cover, *framed = sources[0].pages
    joined.pages.append(cover)
    full, last = (joined.copy_foreign(page.as_form_xobject()) for page in framed)
    others = {
        number: page.as_form_xobject()
        for (numbers, _), source in zip(rendered[1:], sources[1:], strict=True)
        for number, page in zip(numbers, source.pages, strict=True)
    }
    fonts = joined.make_indirect(Dictionary(Text=pages.typeface.embedded(joined)))
    for number, content in enumerate(pages.contents, start=2):
        drawn = Dictionary(Frame=last if number == len(pages.contents) + 1 else full)
        if number in others:
            drawn.Others = joined.copy_foreign(others[number])
        page = Dictionary(
            Type=Name.Page,
            MediaBox=list(cover.mediabox.as_list()),
            Contents=joined.make_stream(content, Filter=Name.FlateDecode),
            Resources=Dictionary(Font=fonts, XObject=drawn),
        )
        joined.pages.append(pikepdf.Page(joined.make_indirect(page)))
    with joined.open_outline() as outline:
        outline.root.extend(pikepdf.OutlineItem(title, place) for title, place in bookmarks)
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
