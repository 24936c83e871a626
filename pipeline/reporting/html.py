"""The report as one self-contained HTML file to look things up in: a browser loads nothing else.

The content security policy names the style and the script by their hashes, so that no name can run, load or style
anything. The data to look up is a compressed block, which no browser runs. The fonts hold only the characters that
the page can show.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

from markupsafe import Markup

from pipeline.reporting import templating
from pipeline.reporting.lookup import LookupData
from pipeline.reporting.view import View

__all__ = ["render", "render_document"]

#: Weight -> file. A third face would only make the page larger.
_FACES = {400: "Inter-Regular.otf", 600: "Inter-SemiBold.otf"}
_STYLES = ("screen.css", "lookup/lookup.css")
#: The scripts, in the order in which they need each other.
_SCRIPTS = (
    "lookup/text.js", "screen.js", "lookup/data.js", "lookup/filters.js", "lookup/list.js", "lookup/card.js",
    "lookup/page.js",
)  # fmt: skip
#: Font features to keep: kerning, combining marks, and digits of equal width.
_FEATURES = ("kern", "ccmp", "mark", "mkmk", "calt", "tnum")


def render(view: View, templates: Path, lookup: LookupData) -> bytes:
    """Return the file. ``templates`` is the folder of the templates, style sheets, scripts and fonts.

    Raises:
        RenderError: a template is missing or wrong.
    """
    body = templating.fill(templates, "screen_body.html", view, lookup=lookup)
    style = _joined(templates, _STYLES)
    script = '"use strict";\n' + _joined(templates, _SCRIPTS)
    style = _faces(templates / "fonts", {*body, *style, *script, *lookup.characters}) + style
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; font-src data:;"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    # Our own files and a page that is already escaped: the only texts that are not escaped here.
    page = templating.fill(
        templates,
        "screen.html",
        view,
        policy=policy,
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        body=Markup(body),  # noqa: S704
        data=Markup(lookup.data),  # noqa: S704 - base64
    )
    return page.encode()


def render_document(title: str, body: str, templates: Path) -> bytes:
    """Return another document than the report as one HTML file: the same style, no script.

    Raises:
        RenderError: a template is missing or wrong.
    """
    style = (templates / "screen.css").read_text(encoding="utf-8")
    style = _faces(templates / "fonts", set(title + body + style)) + style
    policy = f"default-src 'none'; style-src '{_hash(style)}'; font-src data:; img-src data:; base-uri 'none'"
    page = templating.Filler(templates)(
        "document.html",
        None,
        title=title,
        policy=policy,
        style=Markup(style),  # noqa: S704 - as above
        body=Markup(body),  # noqa: S704
    )
    return page.encode()


def _joined(templates: Path, names: Iterable[str]) -> str:
    return "\n".join((templates / name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _faces(fonts: Path, characters: Iterable[str]) -> str:
    """Return the ``@font-face`` rules of the fonts, cut down to the characters."""
    return "".join(
        f'@font-face {{ font-family: "Report Sans"; font-weight: {weight};'
        f' src: url("data:font/woff;base64,{_subset(fonts / name, characters)}") format("woff"); }}\n'
        for weight, name in _FACES.items()
    )


def _subset(path: Path, characters: Iterable[str]) -> str:
    import uharfbuzz
    from fontTools.ttLib import TTFont

    wanted = uharfbuzz.SubsetInput()
    wanted.unicode_set.update(map(ord, characters))
    wanted.layout_feature_tag_set.clear()
    wanted.layout_feature_tag_set.update(int.from_bytes(tag.encode(), "big") for tag in _FEATURES)
    wanted.flags = uharfbuzz.SubsetFlags.NO_HINTING
    reduced = uharfbuzz.subset(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path))), wanted).blob.data
    with TTFont(io.BytesIO(reduced), recalcTimestamp=False, lazy=True) as font:
        font.flavor = "woff"  # WOFF2 would make the page 2 % smaller, and takes a fifth of the time of the whole page
        compressed = io.BytesIO()
        font.save(compressed)
    return base64.b64encode(compressed.getvalue()).decode()
