"""Time stamps as a user meets them: configured, added later, refused, verified, and over a whole directory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.e2e.program import run_command
from tests.fakes.forger import reseal
from tests.fakes.http import Reply
from tests.fakes.time_stamp_authority import Authority

SIGNATURE = ("--by", "C", "--email", "c@example.com", "--role", "CISO")
NAME = "Example Time Stamping (Example Trust)"


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with Authority(tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest.fixture
def own(copied: Place, authority: Authority) -> Place:
    """A place with a build, and with an authority in its configuration."""
    path = copied.folder / "access-review.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f'{text}\n[evidence]\ntimestamp_url = "{authority.url}"\n', encoding="utf-8")
    return copied


def report(own: Place) -> Path:
    outcome = own.ok("report", "--format", "csv")
    return Path(outcome.stdout.splitlines()[0])


def keep_all(own: Place) -> None:
    own.ok("review", "open", "--name", "2026-Q4", "--scope", "privileged", "--reviewer", "ciso@example.com")
    for packet in own.ok("review", "packets", "--json").result["files"]:
        if packet.endswith(".csv"):
            with Path(packet).open(encoding="utf-8", newline="") as stream:
                lines = [f"{row['item_id']},keep,needed" for row in csv.DictReader(stream)]
            file = own.folder / Path(packet).name
            file.write_text("\n".join(["item_id,decision,reason", *lines]) + "\n", encoding="utf-8")
            own.ok("review", "import", str(file))


def test_reports_and_sign_offs_are_stamped_when_they_are_sealed(own: Place, authority: Authority) -> None:
    made = own.ok("report", "--format", "csv", "--json")
    keep_all(own)
    own.ok("review", "sign-off", *SIGNATURE)
    root = str(authority.root.path)

    assert len(authority.requests) == 2
    folder = Path(made.result["folder"])
    verified = run_command(own.folder, "verify", str(folder), "--tsa-certificate", root)
    assert verified.code == 0, verified.stdout
    [line] = [line for line in verified.stdout.splitlines() if line.startswith("time stamp ")]
    assert line.endswith(f" UTC by {NAME}; valid for the certificate of --tsa-certificate")
    stamp = run_command(own.folder, "verify", str(folder), "--json").result["time_stamp"]
    assert (stamp["state"], stamp["authority"]) == ("unchecked", NAME)
    assert stamp["stamped_at"] == made.result["time_stamped_at"]

    checked = run_command(own.folder, "verify", "--chain", "out", "--tsa-certificate", root)
    assert checked.code == 0, checked.stdout + checked.stderr
    assert f"{folder.name}-signoff-2026-Q4  verified  sign-off" in checked.stdout
    assert checked.stdout.splitlines()[-1] == "verified: out, 1 chain, 2 folders"


def test_without_the_authority_the_report_is_complete_and_gets_its_stamp_later(
    own: Place, authority: Authority
) -> None:
    authority.fault = lambda _, __: Reply(503)
    sealed = own("report", "--format", "csv", "--json")
    folder = str(own.folder / sealed.result["folder"])
    unstamped = run_command(own.folder, "verify", folder)
    listed = run_command(own.folder, "verify", "--chain", "out")
    wanted = run_command(own.folder, "verify", folder, "--tsa-certificate", str(authority.root.path))
    still_down = own("evidence", "stamp", folder)
    authority.fault = lambda _, answer: answer
    stamped = own.ok("evidence", "stamp", folder)
    content = (Path(folder) / "manifest.json.tsr").read_bytes()
    again = own.ok("evidence", "stamp", folder)

    assert sealed.code == 0
    assert sealed.result["time_stamped_at"] is None
    assert "warning: the folder is not time-stamped: the time-stamping authority answers 503" in sealed.stderr
    assert "'access-review evidence stamp" in sealed.stderr
    assert (unstamped.code, "time stamp   MISSING" in unstamped.stdout) == (0, True)
    was_to_come = f"the time stamp is missing: {authority.url.removesuffix('/tsr')} was configured when the folder"
    assert f"warning: {was_to_come}" in unstamped.stderr
    assert (listed.code, "MISSING" in listed.stdout) == (0, True)
    assert f"warning: {Path(folder).name}: {was_to_come}" in listed.stderr
    assert wanted.code == 1
    assert "manifest.json.tsr: is missing: the folder is not time-stamped" in wanted.stdout
    assert still_down.code == 3
    assert f" UTC by {NAME}" in stamped.stdout
    assert "has a time stamp already" in again.stderr
    assert (Path(folder) / "manifest.json.tsr").read_bytes() == content
    assert own("verify", folder, "--tsa-certificate", str(authority.root.path)).code == 0


def test_a_folder_that_differs_from_its_manifest_is_not_stamped(own: Place, authority: Authority) -> None:
    authority.fault = lambda _, __: Reply(503)
    folder = own.folder / report(own)
    (folder / "rules.csv").unlink()
    asked = len(authority.requests)

    refused = own("evidence", "stamp", str(folder))

    assert refused.code == 1
    assert "differs from its manifest" in refused.stderr
    assert len(authority.requests) == asked


def test_a_stamp_needs_an_authority(built: Place) -> None:
    refused = built("evidence", "stamp", "out")

    assert refused.code == 2
    assert "no time-stamping authority is configured" in refused.stderr
    assert 'timestamp_url = "http' in refused.stderr


def test_a_manipulated_stamp_fails_the_verification(own: Place, authority: Authority, tmp_path: Path) -> None:
    folder = own.folder / report(own)
    path = folder / "manifest.json.tsr"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)

    outcome = run_command(own.folder, "verify", str(folder), "--tsa-certificate", str(authority.root.path))

    assert outcome.code == 1
    assert "manifest.json.tsr: has been changed: its signature does not match" in outcome.stdout
    assert "time stamp   INVALID" in outcome.stdout
    assert "differs from its manifest, signature or time stamp: 1 problem" in outcome.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("timestamp.example.com", "not the web address of a time-stamping authority"),
        ("ftp://timestamp.example.com", "not the web address of a time-stamping authority"),
        ("https://tsa.example.com/?key=value", "not the web address of a time-stamping authority"),
        ("https://ann:swordfish@tsa.example.com", "credentials inside a URL are refused"),
        ("https://tsa.example.com:swordfish", "not a web address"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_configuration_error(tmp_path: Path, url: str, said: str) -> None:
    (tmp_path / "access-review.toml").write_text(f'[evidence]\ntimestamp_url = "{url}"\n', encoding="utf-8")

    outcome = run_command(tmp_path, "evidence", "stamp", "out")

    assert outcome.code == 2
    assert said in outcome.stderr
    assert "evidence.timestamp_url" in outcome.stderr
    assert "swordfish" not in outcome.stderr


HIDDEN = "\x1b]0;hidden\x07\x1b[2J"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tool": {"name": HIDDEN, "version": HIDDEN}}, 0),
        ({"timestamp_authority": HIDDEN}, 0),
        ({"schema_version": HIDDEN}, 2),
        ({HIDDEN: HIDDEN}, 1),
    ],
    ids=["tool", "authority", "version", "key"],
)
def test_a_manifest_cannot_write_to_the_terminal(copied: Place, changes: dict[str, object], code: int) -> None:
    folder = copied.folder / Path(copied.ok("report", "--format", "csv").stdout.splitlines()[0])
    reseal(folder, **changes)

    one = run_command(copied.folder, "verify", str(folder))
    all_of_them = run_command(copied.folder, "verify", "--chain", "out")

    assert one.code == code
    for outcome in (one, all_of_them):
        assert not {"\x1b", "\x07"} & {*outcome.stdout, *outcome.stderr}
