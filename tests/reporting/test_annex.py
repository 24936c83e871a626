"""The annex as its reader, a printer and an auditor see it."""

from __future__ import annotations

import itertools
import json
import pickle
from pathlib import Path

import duckdb
import pypdf

from pipeline.errors import RenderError
from pipeline.reporting import annex, report

ANNEX = "access-review-annex.pdf"
SCRIPTS = ("李 明", "نور المثال", "דנה דוגמה", "Ада Пример", "Zoë Łukaszewicz")
HOSTILE = ("<script>alert(1)</script>", "two\nlines", "tab\there", "\u202eexe.fdp", "{{ 7 * 7 }}", "para\u2029graph")


def write(connection: duckdb.DuckDBPyConnection, directory: Path, *, cores: int = 1) -> report.ReportFolder:
    options = report.ReportOptions(annex=True, cores=cores)
    return report.write(connection, directory, frozenset({"csv"}), lambda _: None, options)


def read(result: report.ReportFolder) -> tuple[pypdf.PdfReader, list[str]]:
    reader = pypdf.PdfReader(result.folder / ANNEX)
    return reader, [page.extract_text() for page in reader.pages]


def test_every_account_is_in_it_once_and_the_pages_are_counted(database, tmp_path):
    result = write(database(accounts=101), tmp_path)

    reader, pages = read(result)
    assert len(pages) == 1 + 3  # 40 to a page
    assert all(f"{number} of 4" in page for number, page in enumerate(pages, start=1))
    text = "\n".join(pages)
    assert all(text.count(f"user{i:05}@example.com") == 1 for i in range(101))
    assert reader.metadata["/Title"] == "Annex to the access review of Example Corp: the whole population"
    assert reader.outline[0].title == "Annex"
    assert "101 accounts = 99 in scope + 2 out of scope" in pages[0]


def test_parts_of_several_processes_are_one_list(database, tmp_path):
    """More than one part, so other processes render; order, numbers and bookmarks are those of one list."""
    rows = 2 * 480 + 7

    result = write(database(accounts=rows, names=tuple(f"Person {i:04}" for i in range(rows))), tmp_path, cores=2)

    reader, pages = read(result)
    names = [line[-11:] for page in pages[1:] for line in page.splitlines() if line.strip()[-11:-5] == "Person"]
    assert names == [f"Person {i:04}" for i in range(rows)]
    assert [entry.title for entry in reader.outline] == [
        "Annex",
        "Person 0000 to Person 0479",
        "Person 0480 to Person 0959",
        "Person 0960 to Person 0966",
    ]
    assert reader.get_destination_page_number(reader.outline[2]) == 13


def test_it_is_sealed_and_reproducible_byte_by_byte(database, tmp_path):
    connection = database(accounts=600)

    first, second = write(connection, tmp_path / "a"), write(connection, tmp_path / "b")

    assert (first.folder / ANNEX).read_bytes() == (second.folder / ANNEX).read_bytes()
    listed = {row["path"] for row in json.loads((first.folder / "manifest.json").read_bytes())["files"]}
    assert ANNEX in listed
    assert first.folder / ANNEX in first.files


def test_every_row_has_one_line_with_any_characters_in_its_name(database, tmp_path):
    result = write(database(accounts=40, names=HOSTILE), tmp_path)

    _, pages = read(result)
    assert len(pages) == 2
    for name in ("<script>alert(1)</script>", "two lines", "tab here", "\ufffdexe.fdp", "{{ 7 * 7 }}", "para graph"):
        assert name in pages[1]
    assert "\u202e" not in pages[1]


def test_other_scripts_keep_the_height_of_the_lines(database, tmp_path):
    """Page numbers are promised before anything is set: a fallback font must not make a line taller."""
    result = write(database(accounts=80, names=SCRIPTS), tmp_path)

    assert len(read(result)[1]) == 3


def test_a_name_in_another_script_is_on_the_line_of_its_row(database, tmp_path):
    """WeasyPrint sets these names and the program the rest; a fallback font is taller than a line."""
    reader, _ = read(write(database(accounts=40, names=SCRIPTS), tmp_path))
    names, addresses = [], []

    def seen(text: str, matrix: list[float], line: list[float], _font: object, _size: float) -> None:
        down = line[5] * matrix[3] + matrix[5]
        if text.strip() in SCRIPTS[:3]:
            names.append(down)
        elif "@" in text:
            addresses.append(down)

    reader.pages[1].extract_text(visitor_text=seen)

    assert len(names) > 20
    rows = sorted(round(down, 1) for down in addresses)
    assert len(rows) == 40
    assert all(min(abs(down - row) for row in rows) < 0.5 for down in names)  # points


def test_every_character_of_a_name_can_be_searched(database, tmp_path):
    """The font has arrows for ``->`` and one glyph for the Greek letter and the sign of the ohm."""
    names = ("A -> B 1x2", "fi ffi AVATAR", "1 \u2126 2", "\u03a9\u03bc\u03ad\u03b3\u03b1", "Cafe\u0301")

    _, pages = read(write(database(accounts=40, names=names), tmp_path))

    assert all(name in pages[1] for name in names)


def test_several_sources_have_a_column_of_their_own(database, tmp_path):
    _, one = read(write(database(accounts=3), tmp_path / "one"))
    _, two = read(write(database(accounts=3, sources=2), tmp_path / "two"))

    assert "Source" not in one[1]
    assert "Source" in two[1]
    assert "prod" in two[1]


def test_every_page_says_that_the_population_is_incomplete(database, tmp_path):
    _, pages = read(write(database(accounts=90, completeness="PARTIAL", reason="a page was lost"), tmp_path))

    assert all("NOT COMPLETE" in page for page in pages)
    assert "a page was lost" in pages[0]


def test_an_empty_population_has_one_page_that_says_so(database, tmp_path):
    _, pages = read(write(database(accounts=0, findings=0, admins=0), tmp_path))

    assert len(pages) == 1
    assert "0 accounts" in pages[0]


def test_the_annex_states_that_it_is_untagged(database, tmp_path):
    reader, pages = read(write(database(), tmp_path))

    assert "untagged" in pages[0]
    assert "/StructTreeRoot" not in reader.trailer["/Root"]
    assert reader.trailer["/Root"]["/Lang"] == "en"


def test_a_name_that_no_font_shows_is_a_warning(database, tmp_path):
    result = write(database(accounts=1, names=("Kim \U000f1234",)), tmp_path)

    assert len(result.warnings) == 1
    assert "U+F1234" in result.warnings[0]


def test_the_names_that_fit_are_not_cut(database, tmp_path):
    """The columns together are as wide as the page: none lies over another."""
    columns = annex._columns(20_000, several_sources=True)

    assert all(a.left + a.width <= b.left for a, b in itertools.pairwise(columns))
    assert columns[-1].left + columns[-1].width <= 269


def test_an_error_crosses_process_boundaries_unchanged():
    error = RenderError("it broke", where="there", hint="mend it")

    arrived = pickle.loads(pickle.dumps(error))

    assert (type(arrived), str(arrived), arrived.hint) == (RenderError, "it broke — there", "mend it")
