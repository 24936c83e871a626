"""The source distribution leaves out the tests that run a program under another licence."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = Path(sysconfig.get_path("scripts"), "uv")


def test_the_sdist_carries_the_tests_without_those_of_peers(tmp_path: Path) -> None:
    command = [UV, "build", "--sdist", "--no-build-isolation", "--offline", "--python", sys.executable]
    subprocess.run([*command, "--out-dir", tmp_path], cwd=ROOT, check=True, capture_output=True)
    [built] = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}

    assert "tests/simulator/test_published_api.py" in names
    assert "pipeline/sources/transport.py" in names
    assert not [name for name in names if name.startswith("tests/peers")]
    assert (ROOT / "tests/peers/pysense_program.py").is_file()
