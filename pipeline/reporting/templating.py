"""Fills the templates in ``reports/templates``.

Every value is escaped, so a name cannot add markup. Templates whose name ends in ``.txt`` give plain text.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from pipeline.errors import RenderError
from pipeline.reporting import charts, text

if TYPE_CHECKING:  # it imports polars, which a server of pages must not hold in memory
    from pipeline.reporting.view import View

__all__ = ["Filler", "fill", "filler"]

#: A word that a line may be broken in: ``2026-Q4``, ``A.5.18``, ``ann@example.com``.
_JOINED = re.compile(r"\w[-.@]\w")
#: Longest word that stays whole, in characters: a narrow column holds it.
_LONGEST = 34
#: Longest half of an address that stays whole.
_LONGEST_HALF = 18


class Filler:
    """The templates of one folder, which are read once."""

    def __init__(self, templates: Path) -> None:
        self._templates = templates
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=jinja2.select_autoescape(disabled_extensions=("txt",), default=True),
            undefined=jinja2.StrictUndefined,
            auto_reload=False,  # otherwise each use looks at the file, a hundred times for a page of reviewers
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "address": _address,
            "ago": text.ago,
            "controls": text.controls,
            "count": text.count,
            "count_of": lambda rows, noun: text.count(len(rows), noun),
            "day": text.day,
            "dated": text.dated,
            "described": text.described,
            "grouped": text.grouped,
            "host": text.host,
            "listed": text.listed,
            "moment": text.moment,
            "number": text.number,
            "path": text.path,
            "percent": text.percent,
            "settings": text.settings,
            "shorten": text.shorten,
            "tied": text.tied,
            "whole": _whole,
        }
        self._environment.globals |= {"severities": charts.SEVERITIES, "frameworks": text.FRAMEWORKS}

    def __call__(self, name: str, view: View | None, **values: Any) -> str:
        """Return the HTML of one template, filled with a view, if it uses one, and with other values.

        Raises:
            RenderError: the template is missing, does not parse, or names something that does not exist.
        """
        try:
            return self._environment.get_template(name).render(view=view, **values)
        except jinja2.TemplateError as error:
            raise self._wrong(error, name) from error

    def load(self, *folders: str) -> None:
        """Compile the templates of these folders, which otherwise happens when each is used first.

        Raises:
            RenderError: a template does not parse.
        """
        for name in self._environment.list_templates(filter_func=lambda name: name.startswith(folders)):
            try:
                self._environment.get_template(name)
            except jinja2.TemplateError as error:
                raise self._wrong(error, name) from error

    def _wrong(self, error: jinja2.TemplateError, name: str) -> RenderError:
        file, line = _place(error, self._templates)
        file = (
            getattr(error, "filename", None) or file or str(self._templates / (getattr(error, "name", None) or name))
        )
        line = getattr(error, "lineno", None) or line
        return RenderError(
            f"a report template is wrong: {error.message or type(error).__name__}",
            where=file + (f", line {line}" if line else ""),
            hint="templates belong to the program: reinstall it, or undo your change to the template",
        )


def fill(templates: Path, name: str, view: View, **values: Any) -> str:
    """Return the HTML of one template, as :class:`Filler` does; each template is compiled once in a process."""
    return filler(templates)(name, view, **values)


@functools.lru_cache(maxsize=1)
def filler(templates: Path) -> Filler:
    """Return the filler of this folder, the same one each time."""
    return Filler(templates)


def _shown(value: Any) -> Any:
    if value is None:
        return text.NOTHING
    return text.printable(value) if isinstance(value, str) else value


def _place(error: BaseException, templates: Path) -> tuple[str | None, int | None]:
    """Return the template and line of an error while rendering, which Jinja puts into the traceback."""
    file, line = None, None
    trace = error.__traceback__
    while trace:
        if Path(trace.tb_frame.f_code.co_filename).is_relative_to(templates):
            file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return file, line


def _whole(words: str) -> Markup:
    """Return a text whose addresses, dates and names with a hyphen or a dot are not broken over two lines."""
    return Markup("").join(
        Markup('<span class="whole">{}</span>').format(part) if _is_joined(part) else part
        for part in re.split(r"(\s+)", words)
    )


def _address(words: str) -> Markup:
    """Return a text whose addresses are broken over two lines after the ``@`` or not at all."""
    return Markup(" ").join(
        Markup("<wbr>").join(
            Markup('<span class="whole">{}</span>').format(text.printable(half))
            if len(half) <= _LONGEST_HALF
            else Markup.escape(text.printable(half))
            for half in (part.partition("@")[0] + "@", part.partition("@")[2])
        )
        if part.count("@") == 1
        else Markup.escape(text.printable(part))
        for part in words.split(" ")
    )


def _is_joined(part: str) -> bool:
    return part.isascii() and len(part) <= _LONGEST and _JOINED.search(part) is not None
