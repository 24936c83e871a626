"""What runs the program for years: the services of systemd, the container image and the example for Compose."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import run_command

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
BY_NAME = {path.stem: path for path in SERVICES}


def service(path: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    return dict(parser["Service"])


def is_a_command(folder: Path, arguments: list[str]) -> bool:
    """Return whether the program takes these arguments; ``--help`` at the end keeps it from running them."""
    return run_command(folder, *arguments, "--help").code == 0


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_service_is_valid_and_may_write_to_its_own_folder_alone(path: Path, tmp_path: Path) -> None:
    options = service(path)
    program, *arguments = shlex.split(options["ExecStart"])
    assert is_a_command(tmp_path, arguments)
    assert (options["User"], options["StateDirectory"]) == ("access-review", "access-review")
    assert (options["NoNewPrivileges"], options["ProtectSystem"], options["CapabilityBoundingSet"]) == (
        "yes", "strict", ""
    )  # fmt: skip

    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / path.name
    copy.write_text(path.read_text(encoding="utf-8").replace(program, sys.executable), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_compose_runs_every_container_without_rights_and_the_page_behind_the_proxy(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]

    assert all(each["read_only"] and each["cap_drop"] == ["ALL"] for each in services.values())
    assert services["page"]["network_mode"] == "service:proxy"
    assert [name for name, each in services.items() if "ports" in each] == ["proxy"]
    assert is_a_command(tmp_path, services["page"]["command"])
    assert "127.0.0.1:8400" in (DEPLOY / "Caddyfile").read_text(encoding="utf-8")


def test_the_image_is_for_a_user_without_rights_and_starts_a_command_of_the_program(tmp_path: Path) -> None:
    found = re.search(r"^CMD (?P<arguments>\[.*\])$", CONTAINERFILE, re.MULTILINE)

    assert found
    assert is_a_command(tmp_path, json.loads(found["arguments"]))
    assert re.findall(r"^USER (.+)$", CONTAINERFILE, re.MULTILINE) == ["10001:10001"]


def builder() -> str | None:
    """Return a program that builds images here and has, or gets, the base image."""
    base = re.findall(r"^FROM (\S+)$", CONTAINERFILE, re.MULTILINE)[-1]
    for name in ("podman", "docker"):
        if shutil.which(name) and not subprocess.run([name, "pull", "--quiet", base], capture_output=True).returncode:
            return name
    return None


def test_the_image_builds_and_runs_with_a_read_only_root(tmp_path: Path) -> None:
    program = builder()
    if program is None:
        pytest.skip("there is no builder of container images, or it cannot get the base image")
    root, tag = DEPLOY.parent, "access-review:test"

    def run(*command: str | Path) -> str:
        done: Any = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=1200, check=False)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    run("uv", "build", "--wheel", "--out-dir", tmp_path)
    requirements = tmp_path / "requirements.txt"
    run("uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--output-file", requirements)
    run(program, "build", "--file", DEPLOY / "Containerfile", "--tag", tag, tmp_path)
    limits = ("--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none")

    assert "access-review" in run(program, "run", *limits, tag, "--version")
    made = run(program, "run", *limits, "--entrypoint", "sh", tag, "-c", "id -u; touch /opt/x 2>&1 || true")
    assert made.splitlines()[0] == "10001"
    assert "Read-only file system" in made
    assert "snapshot" in run(program, "run", *limits, tag, "demo", "--accounts", "50")
