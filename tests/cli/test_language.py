"""The words of the program: phrases of its first version that people had to decode must not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.test_help import EVERY, help_of

ROOT = Path(__file__).parents[2]
TEXTS = ("*.py", "*.sql", "*.md", "*.html", "*.j2", "*.toml", "*.css")
#: Each was in a message, a page or a comment once. The plain wording is beside it.
PHRASES = {
    "nobody's home": "no such user",
    "hands out lanes": "limits concurrency",
    "lets? go of the rows": "deletes the rows",
    "(has|takes|with) power": "privileged, removes privilege",
    "must be somebody": "must not be blank",
    "what is meant": "the campaign, the account",
    "is no bug": "is not a bug",
    "decided without looking": "uniform decisions",
    "goes on where it was": "resumes",
    "thinned out": "pruned, deleted",
    "judge(s|d)? nobody": "is not evaluated",
    "(some|any)body": "a person, a reviewer, the account's owner",
    "whoever": "name who it is",
    "is meant": "say which one it is",
    "is it what": "say what it is",
    "those looked at": "the population",
    "the one before": "the previous one, the baseline",
    "for want of": "without",
    "(can|could)not be judged": "not evaluated",
}
#: Words that a help text never needs.
RIDDLES = r"\b(nobody|somebody|whoever|whom|judged?|told|power)\b"


def texts() -> list[Path]:
    folders = [ROOT / name for name in ("pipeline", "sql", "reports", "docs")]
    found = [path for folder in folders for kind in TEXTS for path in folder.rglob(kind)]
    return [*found, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def test_no_phrase_of_the_first_version_comes_back() -> None:
    pattern = re.compile("|".join(rf"\b{phrase}\b" for phrase in PHRASES), re.IGNORECASE)
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts()
        for match in pattern.finditer(" ".join(path.read_text(encoding="utf-8").split()))
    }

    assert found == set()


@EVERY
def test_help_speaks_plainly(context: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not re.findall(RIDDLES, help_of(context, monkeypatch), flags=re.IGNORECASE)
