"""Lists every package of ``uv.lock`` with its licence in ``THIRD_PARTY.md``: ``make third-party``.

The licence is the one that the package declares in its metadata. A package that is not installed here, such as one
for Windows, is fetched for that alone, unless the file has its version already.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from importlib.metadata import PackageMetadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FILE = ROOT / "THIRD_PARTY.md"
PROJECT = "sisense-access-review"
#: The parts of the file: what the packages are needed for.
PARTS = {
    "program": "Needed to run the program",
    "spark": "Needed by the extra `spark`",
    "development": "Needed only for tests, checks and benchmarks; not part of what is published",
}
_ROW = re.compile(r"^\| (?P<name>[\w.-]+) \| (?P<version>\S.*?) \| (?P<licence>.+?) \|$", re.MULTILINE)
_CLASSIFIER = re.compile(r"License :: (?:OSI Approved :: )?(.+)")


def locked() -> dict[str, dict[str, str]]:
    """Return the packages of the lock by part: names and versions."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages: dict[str, list[dict[str, Any]]] = {}
    for package in lock["package"]:
        packages.setdefault(package["name"], []).append(package)
    [project] = packages.pop(PROJECT)
    program = _closure(packages, project["dependencies"])
    spark = _closure(packages, project["optional-dependencies"]["spark"]) - program
    parts = {"program": program, "spark": spark, "development": packages.keys() - program - spark}
    return {
        part: {name: ", ".join(package["version"] for package in packages[name]) for name in sorted(names)}
        for part, names in parts.items()
    }


def _closure(packages: dict[str, list[dict[str, Any]]], wanted: list[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        dependency = waiting.pop()
        for package in packages.get(dependency["name"], []):
            extras = [package.get("optional-dependencies", {}).get(name, []) for name in dependency.get("extra", ())]
            new = package.get("dependencies", []) if package["name"] not in found else []
            waiting += [*new, *(each for extra in extras for each in extra if each["name"] not in found)]
        found.add(dependency["name"])
    return found - {PROJECT}


def listed() -> dict[tuple[str, str], str]:
    """Return the licences that the file has, by name and version."""
    text = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    rows = _ROW.finditer(text)
    return {(row["name"], row["version"]): row["licence"] for row in rows if row["name"] != "package"}


def declared(found: PackageMetadata) -> str:
    """Return the licence that a package declares: an SPDX expression, else classifiers, else a line of text."""
    if expression := found.get("License-Expression"):
        return str(expression)
    classifiers = [_CLASSIFIER.fullmatch(line) for line in found.get_all("Classifier") or []]
    names = sorted({match[1] for match in classifiers if match and match[1] != "OSI Approved"})
    text = str(found.get("License") or "").strip().splitlines()
    if names and not (text and len(text[0]) < 40 and len(names) == 1 and names[0].startswith("BSD")):
        return ", ".join(names)
    return text[0] if text else "not declared"


def installed(name: str) -> PackageMetadata | None:
    """Return the metadata of an installed package."""
    try:
        return metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None


def _fetched(name: str, version: str) -> str:
    """Return the licence of a package that is not installed here; without a wheel, where it can be read."""
    for platform in ("linux", "windows"):
        with tempfile.TemporaryDirectory() as folder:
            command = ["uv", "pip", "install", "--no-deps", "--only-binary", ":all:", "--target", folder]
            command += ["--python-version", "3.14", "--python-platform", platform, f"{name}=={version}"]
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                [found] = metadata.distributions(name=name, path=[folder])
                return declared(found.metadata)
    return f"see https://pypi.org/project/{name}/{version}/"


def page() -> str:
    """Return the content of the file."""
    known = listed()
    text = [
        "# Third-party packages",
        "",
        "Every package of `uv.lock` with the licence that it declares. Made by `make third-party`.",
        "The fonts in `reports/templates/fonts` are Inter, under the SIL Open Font License 1.1.",
        "Where a package names several licences, any one of them may be chosen.",
    ]
    for part, packages in locked().items():
        text += ["", f"## {PARTS[part]}", "", "| package | version | licence |", "|---|---|---|"]
        for name, version in packages.items():
            found = installed(name)
            newest = version.split(", ")[-1]  # the lock may have one version for each range of Pythons
            licence = declared(found) if found else known.get((name, version)) or _fetched(name, newest)
            text.append(f"| {name} | {version} | {licence.replace('|', '/')} |")
    return "\n".join(text) + "\n"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
