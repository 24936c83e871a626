"""Checks what ``make dist`` has built, as a user gets it: ``make release-check``.

The contents are listed and searched for strays. On each Python from 3.11 to 3.14 that this machine has, the wheel is
installed in an empty environment with its locked dependencies, and the commands of the README run there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
#: Files that are made while building.
MADE = frozenset({"PKG-INFO", "pipeline/_version.py"})
#: Where the wheel has the folders that lie beside the package.
BUNDLED = "pipeline/_bundled/"
#: The sections of the README whose commands read the report of the demo.
READING = ("Prove it to an auditor", "Ask anything")
#: What marks commands that need something else: a second snapshot, files of the reader, names in their Sisense.
ELSEWHERE = frozenset({"OLD", "--key", "--tsa-certificate", "--chain", "--saved"})
_BLOCK = re.compile(r"^```\n(?P<lines>.*?)^```", re.MULTILINE | re.DOTALL)


def fail(message: str, hint: str) -> SystemExit:
    """Return the error that ends the check."""
    return SystemExit(f"error: {message}\nhint: {hint}")


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Run a command that must succeed; return its stdout."""
    done = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        shown = shlex.join(map(str, command))
        raise fail(f"'{shown}' ended with {done.returncode}", f"its output was:\n{done.stdout}{done.stderr}")
    return done.stdout


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def built(pattern: str) -> Path:
    """Return the one file of ``dist`` with that name."""
    found = sorted(DIST.glob(pattern))
    if len(found) != 1:
        raise fail(f"there are {len(found)} files {pattern} in {DIST}", "run 'make dist'")
    return found[0]


def contents(sdist: Path, wheel: Path) -> tuple[list[str], list[str]]:
    """Return the files of both, as paths of the checkout; those that pip makes are left out."""
    with tarfile.open(sdist) as archive:
        sources = [member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()]
    with zipfile.ZipFile(wheel) as archive:
        program = [name.removeprefix(BUNDLED) for name in archive.namelist() if ".dist-info/" not in name]
    return sorted(sources), sorted(program)


def check_contents(sdist: Path, wheel: Path) -> None:
    """List the contents, and refuse what git does not track.

    Raises:
        SystemExit: there are strays.
    """
    tracked = set(run("git", "ls-files").splitlines()) | MADE
    sources, program = contents(sdist, wheel)
    (DIST / "contents.txt").write_text(
        "".join(f"{part}\t{name}\n" for part, names in (("sdist", sources), ("wheel", program)) for name in names),
        encoding="utf-8",
    )
    if strays := sorted({*sources, *program} - tracked):
        raise fail(f"files that git does not track: {', '.join(strays)}", "remove them, or add them to git")
    say(f"{sdist.name}: {len(sources)} files; {wheel.name}: {len(program)}; listed in dist/contents.txt, no strays")


def pythons() -> Iterator[Path]:
    """Yield the interpreters to check with, one of each version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in PYTHONS:
        places = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
        for place in filter(None, places):
            if subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode == 0:
                yield Path(place)
                break
        else:
            say(f"Python {version}: not on this machine")


def readme() -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of the README, each with the section that it stands in."""
    for section in (ROOT / "README.md").read_text(encoding="utf-8").split("\n## "):
        for block in _BLOCK.finditer(section):
            for line in block["lines"].splitlines():
                if line.startswith("access-review "):
                    yield section.partition("\n")[0], shlex.split(line, comments=True)[1:]


def check_installed(python: Path, wheel: Path, folder: Path) -> None:
    """Install the wheel in an empty environment, and run the commands of the README there.

    Raises:
        SystemExit: one of them fails.
    """
    environment = folder / "venv"
    run("uv", "venv", "--quiet", "--python", python, environment, cwd=folder)
    installed = ("uv", "pip", "install", "--quiet", "--python", environment)
    run(*installed, "--require-hashes", "--requirement", DIST / "requirements.txt", cwd=folder)
    run(*installed, "--no-deps", wheel, cwd=folder)
    program = environment / "bin" / "access-review"
    version = run(program, "--version", cwd=folder).split()[-1]
    demo = folder / "demo"
    run(program, "demo", "--accounts", "50", "--out", demo, cwd=folder)
    [report] = (path.parent for path in demo.glob("out/*/manifest.json"))
    settings = {"ACCESS_REVIEW_CONFIG": str(demo / "access-review.toml")}
    [rule, *_] = (
        each["rule_id"] for each in json.loads(run(program, "--json", "rules", "list", cwd=folder))["result"]
    )
    ran = 0
    for section, arguments in readme():
        run(program, *arguments, "--help", cwd=folder)
        given = [{"FOLDER": str(report), "RULE": rule}.get(word, word) for word in arguments]
        if section in READING and not ELSEWHERE & set(given):
            run(program, *given, cwd=folder, **settings)
            ran += 1
    say(
        f"Python {python.name.removeprefix('python')}: {version} installed; demo and {ran} commands of the README ran"
    )


def check_fixture() -> None:
    """Refuse to release a version of the database of which the tests of later versions have no example."""
    newest = max(int(path.name[:4]) for path in (ROOT / "sql" / "migrations").glob("*.sql"))
    if not (ROOT / "tests" / "upgrade" / f"schema-{newest}.tar.xz").exists():
        raise fail(f"the tests have no database of schema version {newest}", "run 'make fixture' and commit the file")


def main() -> None:
    """Check everything."""
    check_fixture()
    sdist, wheel = built("*.tar.gz"), built("*.whl")
    check_contents(sdist, wheel)
    bom = json.loads(built("*.cdx.json").read_text(encoding="utf-8"))
    say(f"{built('*.cdx.json').name}: {len(bom['components'])} packages, each with its licence")
    for python in pythons():
        with tempfile.TemporaryDirectory() as folder:
            check_installed(python, wheel, Path(folder))
    tag = subprocess.run(["git", "describe", "--exact-match"], cwd=ROOT, capture_output=True, text=True, check=False)
    say(f"tag {tag.stdout.strip()}" if tag.returncode == 0 else "this commit has no tag, so it is no release yet")


if __name__ == "__main__":
    main()
