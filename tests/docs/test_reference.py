"""The pages of docs: the reference is current, every page is in the menu, and every link leads to a page."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TOGETHER = "run 'make docs-reference'"


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = maker()


@pytest.mark.parametrize("name", REFERENCE.PAGES)
def test_a_page_of_the_reference_is_current(name: str) -> None:
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == REFERENCE.write(name), TOGETHER


def test_every_configuration_key_and_option_is_described() -> None:
    for name in ("configuration.md", "commands.md"):
        page = (DOCS / "reference" / name).read_text(encoding="utf-8")
        assert not re.findall(r"^\| `.*\|\s*\|$", page, flags=re.MULTILINE), f"{name} has a row without a meaning"


def test_the_page_of_configuration_names_every_variable_of_the_environment() -> None:
    page = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    files = (ROOT / "pipeline").rglob("*.py")
    used = {name for file in files for name in re.findall(r"\bACCESS_REVIEW_[A-Z_]+[A-Z]\b", file.read_text("utf-8"))}

    assert sorted(name for name in used if name.removesuffix("_FILE") not in page) == []


def test_every_page_is_in_the_menu() -> None:
    def pages(entry: Any) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        return [page for each in (entry.values() if isinstance(entry, dict) else entry) for page in pages(each)]

    menu = pages(tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"])

    assert sorted({str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - {*menu}) == []


def test_every_link_between_files_leads_to_a_file() -> None:
    """``make docs`` checks headings too, and only the pages of the site. The site has no file outside ``docs``."""
    broken = []
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "DECISIONS.md"]:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            path = page.parent / target.replace("\\_", "_")
            leaves_site = DOCS in page.parents and DOCS not in path.resolve().parents
            if "://" not in target and (leaves_site or not path.exists()):
                broken.append(f"{page.relative_to(ROOT)}: {target}")

    assert broken == []
