"""The installed command ends at once; nothing that it wrote or promised may be lost by that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_INSTALLED = (str(Path(sys.executable).with_name("access-review")),)
_MODULE = (sys.executable, "-m", "pipeline")


def _run(
    program: tuple[str, ...], folder: Path, *arguments: str, stdout: object = subprocess.PIPE
) -> tuple[object, ...]:
    done = subprocess.run(
        [*program, *arguments], cwd=folder, stdout=stdout, stderr=subprocess.PIPE, timeout=120, check=False
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments", [("--version",), ("rules", "list"), ("catalog",), ("build", "--unknown"), ("build",)]
)
def test_it_prints_and_returns_what_the_module_does(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    expected = _run(_MODULE, tmp_path, *arguments)

    assert _run(_INSTALLED, tmp_path, *arguments) == expected
    assert expected[1] or expected[2]


@pytest.mark.parametrize("arguments", [("--version",), ("build", "--help"), ("catalog",)], ids=" ".join)
def test_a_full_disk_is_not_success(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        code, _, said = _run(_INSTALLED, tmp_path, *arguments, stdout=full)

    assert code != 0
    assert b"No space left" in said  # type: ignore[operator]


@pytest.mark.parametrize("arguments", ["--version", "rules list", "nonsense"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_change_no_exit_code(tmp_path: Path, arguments: str, closed: str) -> None:
    codes = {
        _run(("sh", "-c", f"{' '.join(program)} {arguments} {closed}"), tmp_path)[0]
        for program in (_INSTALLED, _MODULE)
    }

    assert codes == {2 if arguments == "nonsense" else 0 if closed == "2>&-" else 5}


def test_a_run_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))

    code, *_ = _run(_INSTALLED, tmp_path, "demo", "--accounts", "20", "--out", "demo")

    assert code == 0
    assert list(temporary.iterdir()) == []
    assert list(tmp_path.rglob("*.wal")) == []
