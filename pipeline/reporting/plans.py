"""A remediation plan as HTML and PDF: the changes and their reasons, for the person who approves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.atomic import replace_file
from pipeline.errors import RenderError
from pipeline.reporting import glyphs, html, pdf
from pipeline.reporting.templating import Filler

__all__ = ["write"]


def write(path: Path, document: Mapping[str, Any]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write a plan as HTML and PDF beside ``path``, with its name; return the files, and warnings.

    ``document`` has the names of ``plan_body.html``, with ``created_at`` as a date and time in UTC. Where Pango is
    missing the PDF is left out, which is a warning.

    Raises:
        RenderError: a file cannot be written, or a template is wrong.
    """
    templates = resources.templates()
    fill = Filler(templates)
    warnings: list[str] = []
    page, paper = path.with_suffix(".html"), path.with_suffix(".pdf")
    written = [page]
    body = fill("plan_body.html", None, **document)
    title = f"Remediation plan {str(document['plan_id'])[:12]}"
    try:
        with replace_file(page) as draft:
            draft.write_bytes(html.render_document(title, body, templates))
        try:
            content, missing = pdf.render(fill("plan.html", None, **document), templates)
        except RenderError as error:
            paper.unlink(missing_ok=True)  # it is of an earlier plan of that name
            return (page,), (f"the PDF of the plan is left out: {error}; {error.hint}",)
        with replace_file(paper) as draft:
            draft.write_bytes(content)
        written.append(paper)
        if missing:
            warnings.append(glyphs.warning(missing, (person["name"] for person in document["people"])))
    except OSError as error:
        raise RenderError(
            f"the HTML or PDF of the plan cannot be written: {error.strerror}",
            where=str(error.filename or page),
            hint="name another file with --out",
        ) from error
    return tuple(written), tuple(warnings)
