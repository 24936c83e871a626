"""Fills the templates in ``reports/templates``. Every value is text: markup in a name is escaped, whatever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from pipeline.errors import RenderError
from pipeline.reporting import charts, text
from pipeline.reporting.view import View

__all__ = ["fill"]


def fill(templates: Path, name: str, view: View, **values: str) -> str:
    """Return the HTML of one template filled with one view, and with more values under names of their own.

    Raises:
        RenderError: the template is missing, does not parse, or names something that does not exist.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "ago": text.ago,
        "controls": text.controls,
        "count": text.count,
        "count_of": lambda rows, noun: text.count(len(rows), noun),
        "day": text.day,
        "host": text.host,
        "listed": text.listed,
        "moment": text.moment,
        "number": text.number,
        "path": text.path,
        "settings": text.settings,
        "shorten": text.shorten,
    }
    try:
        return environment.get_template(name).render(view=view, severities=charts.SEVERITIES, **values)
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None) or _line(error, templates)
        raise RenderError(
            f"a report template is wrong: {error.message or type(error).__name__}",
            where=f"{templates / (getattr(error, 'name', None) or name)}" + (f", line {line}" if line else ""),
            hint="templates belong to the program: reinstall it, or undo your change to the template",
        ) from error


def _shown(value: Any) -> Any:
    if value is None:
        return text.NOTHING
    return text.printable(value) if isinstance(value, str) else value


def _line(error: BaseException, templates: Path) -> int | None:
    """Find the template line in the traceback, where Jinja puts it for errors while rendering."""
    line = None
    trace = error.__traceback__
    while trace:
        if Path(trace.tb_frame.f_code.co_filename).is_relative_to(templates):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
