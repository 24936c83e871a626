"""Keeps text in a spreadsheet from running as a formula: one rule for SQL and for Python.

A spreadsheet runs a cell that starts like a formula; an apostrophe in front makes it a text. If its list separator is
a semicolon or a tab, one of our cells may be split there or at a line end, and quotes at the start of a cell are
dropped. So text after these characters gets an apostrophe as well.

Source of the characters: OWASP, CSV injection.
"""

from __future__ import annotations

import re

__all__ = ["STARTS", "as_text", "has_inner_formula", "is_formula", "neutralised", "restored", "retyped", "separates"]

#: A cell that starts with one of these is run.
STARTS = ("=", "+", "-", "@", "\t", "\r")
_SEPARATORS = (";", "\t", "\r", "\n")
#: The same in the regular expressions of Python and of DuckDB (RE2).
_INNER = r"([;\t\r\n])(\"*[=+\-@])"
_NEUTRALISED = re.compile(r"([;\t\r\n])'(\"*[=+\-@])")
_MONTHS = "|".join((
    "jan|gen|ene|f[eé][bv]|m[aä]r|a[bpv]r|ma[giy]|ju[iln]|giu|lug|ago|aug|ao[uû]",
    "se[pt]|o[ck]t|ott|out|nov|d[eé][cz]|dic",
))  # fmt: skip
#: Text that a spreadsheet turns into a number, a date, a time or a boolean.
_RETYPED = (
    r"(?i)^\s*(?:[\s.,:/%$€£¥()+-]*[0-9][0-9\s.,:/%$€£¥()+-]*(?:e[+-]?[0-9]+|\s*[ap]m)?"
    rf"|[0-9]{{0,4}}[\s.,/-]*(?:{_MONTHS})[a-zäéû]*[\s.,/-]*[0-9][0-9\s.,/:-]*"
    rf"|[0-9]{{1,4}}[\s.,/-]*(?:{_MONTHS})[a-zäéû]*\.?"
    r"|true|false|wahr|falsch|vrai|faux|verdadero|falso|vero)\s*$"
)
_LOOKS_RETYPED = re.compile(_RETYPED)


def is_formula(column: str) -> str:
    """Return the SQL of the condition that a cell would run as a formula. ``column`` is SQL for a text."""
    # On code points: comparing first characters as strings more than doubles the time of a whole file. Not with "in":
    # DuckDB makes a join of six values, which does not keep the order of sorted rows on several threads.
    return f"({' or '.join(f'ascii({column}) = {ord(start)}' for start in STARTS)})"


def has_inner_formula(column: str) -> str:
    """Return the SQL of the condition that text after a separator inside the cell may run."""
    return f"regexp_matches({column}, '{_INNER}')"


def separates(column: str) -> str:
    """Return the SQL of the condition that the cell holds a separator other than a semicolon."""
    return f"({' or '.join(f'contains({column}, chr({ord(each)}))' for each in _SEPARATORS[1:])})"


def neutralised(column: str, *, inner: bool) -> str:
    """Return the SQL of the text with its apostrophes; without ``inner`` only at the start of the cell."""
    text = f"{column}::varchar"
    if inner:
        text = rf"regexp_replace({text}, '{_INNER}', '\1''\2', 'g')"
    return f"case when {is_formula(column)} then '''' || {text} else {text} end"


def retyped(column: str) -> str:
    """Return the SQL of the text with an apostrophe if a spreadsheet would turn it into a number or a date."""
    return f"case when regexp_matches({column}, '{_RETYPED}') then '''' || {column} else {column} end"


def as_text(text: str) -> str:
    """Return a text with the apostrophes that :func:`neutralised` puts into it."""
    text = re.sub(_INNER, r"\1'\2", text)
    return "'" + text if text.startswith(STARTS) else text


def restored(text: str) -> str:
    """Return a text without the apostrophes that :func:`neutralised` and :func:`retyped` put into it."""
    if text[:1] == "'" and (text[1:2] in STARTS or _LOOKS_RETYPED.search(text[1:])):
        text = text[1:]
    return _NEUTRALISED.sub(r"\1\2", text)
