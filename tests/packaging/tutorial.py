"""Follows a page of the documentation, as a reader does who copies every command into one shell."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

__all__ = ["follow"]

ROOT = Path(__file__).parents[2]
#: Makes the command available where pipx does. The program is installed already, as no registry can be reached.
PIPX = """#!/bin/sh
set -eu
test "$1" = install && test -f "$2/pyproject.toml"
mkdir -p "$HOME/.local/bin"
ln -s '{program}' "$HOME/.local/bin/access-review"
"""


def follow(page: Path, folder: Path, program: Path) -> str:
    """Run the commands of a page in an empty folder beside which the checkout is, and return their output."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert blocks, "the page has no commands"
    home, tools = folder / "home", folder / "tools"
    home.mkdir()
    tools.mkdir()
    (tools / "pipx").write_text(PIPX.format(program=program), encoding="utf-8")
    (tools / "pipx").chmod(0o755)
    (tools / "python3").symlink_to(sys.executable)
    (folder / "sisense-access-review").symlink_to(ROOT)
    done = subprocess.run(
        ["bash", "-euc", "\n".join(f"echo '== block {number}'\n{block}" for number, block in enumerate(blocks, 1))],
        cwd=folder,
        env={"HOME": str(home), "PATH": f"{home}/.local/bin:{tools}:/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
