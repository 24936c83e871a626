"""HTML to PDF with WeasyPrint: tagged PDF/A-3, bundled assets only, and the same bytes for the same document.

WeasyPrint needs Pango from the system and a third of a second to import, so it is imported only when it is used.
"""

from __future__ import annotations

import contextlib
import gc
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.errors import RenderError
from pipeline.reporting.glyphs import MissingGlyphs

__all__ = ["check_libraries", "render", "render_part"]

_PANGO_HINT = (
    "Debian and Ubuntu: apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; "
    "macOS: brew install pango; or leave the PDF out: --format csv,xlsx,html"
)
_ASSET_TYPES = {".css": "text/css", ".otf": "font/otf"}


def check_libraries() -> None:
    """Import WeasyPrint, so that a missing library is reported before any work is done.

    Raises:
        RenderError: Pango or a library it needs is not installed.
    """
    _weasyprint()


def render(
    html: str, templates: Path, attached: Sequence[Path] = (), attached_at: datetime | None = None
) -> tuple[bytes, frozenset[str]]:
    """Return the PDF, and the characters that no font could show.

    ``templates`` is the folder of the style sheet and the fonts. Addresses in the document are relative to it, and
    nothing outside it is ever read. ``attached`` are files to embed, each with the date ``attached_at``.

    Raises:
        RenderError: Pango is missing, or the document asks for anything but a bundled asset.
    """
    weasyprint = _weasyprint()
    fetcher, refusal = _bundled_only(templates)
    gc.collect()  # frees what a document before this one has left
    with MissingGlyphs() as missing, _fonts() as fonts, _without_collector():
        try:
            document = weasyprint.HTML(string=html, base_url=templates.as_uri() + "/", url_fetcher=fetcher)
            # New for each call: an attachment that is written a second time is empty.
            files = [
                weasyprint.Attachment(
                    string=path.read_bytes(),
                    name=path.name,
                    description=f"{path.name}, as in the report folder",
                    created=attached_at,
                    modified=attached_at,
                    relationship="Data",
                )
                for path in sorted(attached)
            ]
            pdf: bytes = document.write_pdf(
                pdf_variant="pdf/a-3a", attachments=files, font_config=fonts, finisher=_finish
            )
        except refusal as error:
            raise _refused(error, templates) from error
    return pdf, frozenset(missing.characters)


def render_part(html: str, templates: Path) -> tuple[bytes, frozenset[str]]:
    """Return pages to be joined with others, without tags and not PDF/A, and the characters without a glyph.

    It runs in other processes, so it takes only text and imports only WeasyPrint.

    Raises:
        RenderError: as :func:`render` does.
    """
    weasyprint = _weasyprint()
    fetcher, refusal = _bundled_only(templates)
    with MissingGlyphs() as missing, _fonts() as fonts, _without_collector():
        try:
            document = weasyprint.HTML(string=html, base_url=templates.as_uri() + "/", url_fetcher=fetcher)
            pages: bytes = document.write_pdf(font_config=fonts)
        except refusal as error:
            raise _refused(error, templates) from error
        # The tree of boxes is one cycle. Everything older is still frozen, so that it is found quickly.
        del document
        gc.collect()
    return pages, frozenset(missing.characters)


class _Finished:
    """An object of a PDF as it is written. It has what pydyf asks an object for."""

    def __init__(self, made: Any) -> None:
        self.number, self.generation, self.offset, self.free = made.number, made.generation, made.offset, made.free
        self.compressible: bool = made.compressible
        self.data: bytes = made.data

    @property
    def indirect(self) -> bytes:
        return f"{self.number} {self.generation} obj\n".encode() + self.data + b"\nendobj"


def _finish(_document: Any, pdf: Any) -> None:
    """Make every object once: pydyf would make and compress each twice, for the file and for its identifier."""
    pdf.objects[:] = [each if each.free == "f" else _Finished(each) for each in pdf.objects]


def _refused(error: BaseException, templates: Path) -> RenderError:
    return RenderError(
        str(error),
        where=str(templates),
        hint="reports are made offline: templates may only use files in their own folder",
    )


def _weasyprint() -> Any:
    # When a library is missing WeasyPrint prints advice to stdout, which belongs to the command's result.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            import weasyprint
        except OSError as error:
            raise RenderError(
                "a PDF needs the system library Pango, which cannot be loaded",
                where=str(error).splitlines()[0],
                hint=_PANGO_HINT,
            ) from error
    return weasyprint


@contextlib.contextmanager
def _fonts() -> Iterator[Any]:
    """Give a configuration whose folder of fonts is gone at the end: a process may end before it is collected."""
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    try:
        yield fonts
    finally:
        fonts.__del__()


def _bundled_only(templates: Path) -> tuple[Any, type[BaseException]]:
    """Return a fetcher for the bundled assets, and the exception that it raises for anything else."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    assets = {path.as_uri(): path for path in templates.rglob("*") if path.suffix in _ASSET_TYPES}

    class BundledOnly(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002
            path = assets.get(url)
            if path is None:
                # WeasyPrint logs ordinary exceptions and continues without the asset.
                raise FatalURLFetchingError(f"the report asks for '{url}', which is not one of its own files")
            return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": _ASSET_TYPES[path.suffix]})

    return BundledOnly(), FatalURLFetchingError


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Turn the cyclic collector off: walking the growing tree of boxes takes a fifth of the time.

    Where it is off already, what is older than this document stays frozen, so that the next one need not look at it.
    """
    was_enabled = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.unfreeze()
            gc.enable()
