"""The words, dates and numbers of a report for people."""

from __future__ import annotations

from datetime import datetime

import pytest

from pipeline import resources
from pipeline.errors import RenderError
from pipeline.reporting import charts, templating, text


def test_dates_and_numbers_read_the_same_everywhere():
    assert text.day(datetime.fromisoformat("2026-11-01")) == "1 Nov 2026"
    assert text.moment(datetime.fromisoformat("2026-11-01")) == "1 Nov 2026 00:00 UTC"
    assert text.moment(datetime.fromisoformat("2026-11-01T00:00:05")) == "1 Nov 2026 00:00:05 UTC"
    assert text.count(1, "account") == "1 account"
    assert text.count(2000, "account") == "2,000 accounts"
    assert text.count(2, "entry") == "2 entries"
    assert text.count(2, "day") == "2 days"
    assert (text.day(None), text.number(None)) == ("–", "–")


@pytest.mark.parametrize(
    ("given", "shown"),
    [("short", "short"), ("exactly ten", "exactly te…"), ("李" * 8, "李" * 5 + "…"), ("", "–"), (None, "–")],
)
def test_long_names_are_cut_by_columns(given, shown):
    assert text.shorten(given, 11) == (given if given and len(given) == 11 else shown)


def test_a_name_cannot_reverse_or_hide_the_text_after_it():
    assert text.printable("a\u202eb\u2066c\x07d\x9be") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert text.printable("two\nlines\tנור") == "two\nlines\tנור"


def test_controls_are_named_as_people_know_them():
    assert text.controls("soc2: CC6.2; iso27001: A.5.18") == ["SOC 2 CC6.2", "ISO 27001 A.5.18"]
    assert text.controls(None) == []


def test_every_severity_differs_in_shape_not_in_colour_alone():
    assert len({severity.shape for severity in charts.SEVERITIES.values()}) == len(charts.SEVERITIES)


@pytest.mark.parametrize(
    ("template", "said"),
    [("{{ view.missing }}", "missing"), ("a\n{% if %}", "line 2"), ("{% include 'gone.html' %}", "gone.html")],
)
def test_a_template_error_says_which_file_and_line(tmp_path, template, said):
    (tmp_path / "page.html").write_text(template)

    with pytest.raises(RenderError) as caught:
        templating.fill(tmp_path, "page.html", object())  # type: ignore[arg-type]

    assert said in str(caught.value)
    assert str(tmp_path) in caught.value.where


def test_the_fonts_come_with_their_licence():
    fonts = resources.templates() / "fonts"

    assert "SIL OPEN FONT LICENSE" in (fonts / "OFL.txt").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in fonts.iterdir()) < 2_000_000


def test_dates_within_a_text_are_written_as_all_others() -> None:
    assert text.dated("keep by ann@example.com on 2026-03-01") == "keep by ann@example.com on 1 Mar 2026"
    assert text.dated("never") == "never"
    assert text.dated("2026-02-31") == "2026-02-31"


@pytest.mark.parametrize(
    ("check_id", "description", "said"),
    [
        ("models_permissions_read", "Every part of the list could be read",
         "Every part of the list of permissions of data models could be read"),
        ("folders_read", "The list could be read", "The list of folders could be read"),
        ("folders_stored", "Every item of this list is stored.", "Every item of the list of folders is stored."),
        ("folders_end_proven", "The pages cover the list of folders", "The pages cover the list of folders"),
    ],
)  # fmt: skip
def test_a_check_of_a_list_names_the_list(check_id: str, description: str, said: str) -> None:
    assert text.described({"check_id": check_id, "description": description}) == said


def test_numbers_within_a_text_have_separators_but_ids_and_years_within_dates_do_not() -> None:
    assert text.grouped("39 admin, 1554 viewer") == "39 admin, 1,554 viewer"
    assert text.grouped("offset 0..2555, v2026.1, 2026-11-01, x1234") == "offset 0..2555, v2026.1, 2026-11-01, x1234"
    assert text.grouped(None) == text.NOTHING


def test_a_line_has_its_name_and_values_and_a_day_is_written_once() -> None:
    rows = [charts.Line("high", "▲", "#c2530a", (2, 40)), charts.Line("low", "●", "#4a6a8a", (1200, 0))]

    days = charts.lines("Open", ["1 Nov 2026", "2 Nov 2026"], rows)
    one_day = charts.lines("Open", ["1 Nov 2026", "1 Nov 2026"], rows)

    assert "high: 2 on 1 Nov 2026, 40 on 2 Nov 2026." in days
    assert [">2<" in days, ">40<" in days, ">1,200<" in days, ">0<" in days] == [True] * 4
    assert days.count(">1 Nov 2026<") == days.count(">2 Nov 2026<") == 1
    assert one_day.count(">1 Nov 2026<") == 1
