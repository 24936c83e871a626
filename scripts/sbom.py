"""Writes an SBOM (CycloneDX 1.5) beside each wheel in ``dist``: the locked packages that run the program.

uv lists them with their hashes; their licences are those of ``THIRD_PARTY.md``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.third_party import ROOT, listed


def write(wheel: Path) -> Path:
    """Write the SBOM of a wheel; return its path."""
    command = ["uv", "export", "--quiet", "--frozen", "--no-dev", "--format", "cyclonedx1.5"]
    command += ["--preview-features", "sbom-export"]
    document = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    _, version, *_ = wheel.name.split("-")
    project = document["metadata"]["component"]
    project["version"] = version
    project["licenses"] = [{"license": {"id": "Apache-2.0"}}]
    licences = {name: licence for (name, _), licence in listed().items()}
    for component in document["components"]:
        licence = licences[component["name"]]
        component["licenses"] = [{"license": {"name": licence}}]
    path = wheel.with_suffix(".cdx.json")
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    for found in sorted((ROOT / "dist").glob("*.whl")):
        sys.stdout.write(f"{write(found)}\n")
