"""Evidence on the command line: a run seals it, and anyone can verify it with nothing but the folder."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pypdf
import pytest

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import ACCOUNTS, Finished, Outcome, run_command
from tests.fakes.forger import reseal

CSV = (
    "access.csv", "changes.csv", "findings.csv", "licences.csv", "population.csv", "reach.csv", "reconciliation.csv",
    "rules.csv", "trend.csv",
)  # fmt: skip
KEY = "ACCESS_REVIEW_SIGNING_KEY_FILE"


@dataclass(frozen=True)
class Chain:
    """Three runs of one folder, and the second's report of another day, asked for before and after the third.

    The third is signed with a key, and prints every word.
    """

    folder: Path
    reports: list[Path]
    again: bytes  # the manifest of the second's own report, written once more after the third
    before: dict[str, bytes]
    after: dict[str, bytes]
    keys: Path
    printed: str  # by the command that made the key, and by the signed run

    @property
    def fingerprint(self) -> str:
        return next(line.split()[-1] for line in self.printed.splitlines() if line.startswith("fingerprint"))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder, keys = tmp_path_factory.mktemp("chain"), tmp_path_factory.mktemp("keys")
    reports: list[Path] = []
    made = run_command(keys, "keygen", "--out", "key.pem")
    assert made.code == 0, made.stderr
    with Simulator(60, 7) as small:
        small.write_files(folder)

        def run(*loud: str, formats: str = "csv", **key: str) -> Outcome:
            secret = {"ACCESS_REVIEW_PROD_PASSWORD": small.password, **key}
            ran = run_command(folder, *loud, "run", "--format", formats, **secret)
            assert ran.code == 0, ran.stderr
            reports.append(Path(ran.stdout.splitlines()[0]))
            return ran

        def asked(out: str) -> dict[str, bytes]:
            question = ("--snapshot", reports[1].name, "--as-of", "2026-06-30", "--baseline", reports[0].name)
            built = run_command(folder, "build", *question)
            assert built.code == 0, built.stderr
            reported = run_command(folder, "report", "--format", "csv,xlsx,html", "--out", out)
            assert reported.code == 0, reported.stderr
            report = Path(reported.stdout.splitlines()[0])
            assert report.name.startswith(f"{reports[1].name}-")  # apart from that of the snapshot's own report
            return {path.name: path.read_bytes() for path in (folder / report).iterdir() if path.is_file()}

        run()
        run()
        before = asked("then")
        signed = run("--debug", "-v", formats="csv,html", **{KEY: str(keys / "key.pem")})
        old = run_command(folder, "report", "--snapshot", reports[1].name, "--format", "csv", "--out", "again")
        assert old.code == 0, old.stderr
        again = (folder / "again" / reports[1].name / "manifest.json").read_bytes()
        printed = made.stdout + made.stderr + signed.stdout + signed.stderr
        return Chain(folder, reports, again, before, asked("now"), keys, printed)


@pytest.fixture
def folder(chain: Chain, tmp_path: Path) -> Path:
    """A copy of a report that the test may change, without a configuration or database beside it."""
    return shutil.copytree(chain.reports[0], tmp_path / "mailed" / chain.reports[0].name)


def verify(folder: Path, *arguments: str) -> Outcome:
    return run_command(folder.parent, "verify", folder.name, *arguments)


def assert_refused(outcome: Outcome, *named: str) -> None:
    assert outcome.code == 1, outcome.stderr
    assert sum(line.startswith("error: ") for line in outcome.stderr.splitlines()) == 1
    assert "Traceback" not in outcome.stderr
    for name in named:
        assert any(line.startswith(f"{name}: ") for line in outcome.stdout.splitlines()), outcome.stdout


def change_rows(path: Path, select: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as select * from '{path}'")
        connection.execute(f"copy ({select}) to '{path}' (format parquet, compression zstd)")


def test_the_folder_alone_can_be_verified_and_rebuilt(folder: Path) -> None:
    outcome = verify(folder, "--rebuild")

    assert outcome.code == 0, outcome.stdout + outcome.stderr
    assert "unsigned" in outcome.stdout
    assert f"rebuilt      equal: {', '.join(CSV)}" in outcome.stdout
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]


def test_a_sign_off_has_nothing_to_rebuild_but_a_report_without_its_data_has(folder: Path) -> None:
    sha256 = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    signed = folder.with_name(f"{folder.name}-signoff-Q4")
    signed.mkdir()
    shutil.copy(folder / "manifest.json", signed)
    (signed / "decisions.csv").write_text("item_id,decision\n1,keep\n", encoding="utf-8")
    reseal(signed, previous_manifest_sha256=sha256)

    outcome = verify(signed, "--rebuild")

    assert outcome.code == 0, outcome.stdout + outcome.stderr
    assert f"this is the folder of a sign-off; it rests on {folder.name}" in outcome.stderr
    for name in ("raw", "sql", "inputs"):
        shutil.rmtree(folder / name)
    reseal(folder)
    assert_refused(verify(folder, "--rebuild"), "sql, raw, inputs")


def test_verify_lists_its_result_as_json(folder: Path) -> None:
    (folder / "rules.csv").unlink()

    outcome = run_command(folder.parent, "--json", "verify", folder.name)

    found = outcome.result
    assert outcome.code == 1
    assert found["verified"] is False
    assert found["signature"] == "unsigned"
    assert {"path": "rules.csv", "problem": "is missing"} in found["problems"]


def test_one_flipped_byte_is_detected_and_named(finished: Finished, tmp_path: Path) -> None:
    folder = shutil.copytree(finished.report, tmp_path / finished.report.name)
    content = bytearray((folder / "access-review.pdf").read_bytes())
    content[1000] ^= 1
    (folder / "access-review.pdf").write_bytes(content)

    assert_refused(verify(folder), "access-review.pdf")


def test_a_rebuild_detects_a_removed_finding(folder: Path) -> None:
    lines = (folder / "findings.csv").read_bytes().splitlines(keepends=True)
    (folder / "findings.csv").write_bytes(b"".join([*lines[:5], *lines[6:]]))
    reseal(folder)

    assert verify(folder).code == 0  # it is unsigned, and agrees with itself
    outcome = verify(folder, "--rebuild")
    assert_refused(outcome, "findings.csv")
    assert "from line 6 on" in outcome.stdout


def test_a_rebuild_detects_an_account_removed_from_the_source_rows(folder: Path) -> None:
    change_rows(folder / "raw" / "users.parquet", "select * from kept where not (is_accepted and ordinal = 7)")
    reseal(folder)

    assert_refused(verify(folder, "--rebuild"), "population.csv")


def test_a_rebuild_detects_a_threshold_changed_in_the_inputs(folder: Path) -> None:
    changed = """replace(parameters::varchar, '"stale_after_days": 90', '"stale_after_days": 900')::json"""
    change_rows(folder / "inputs" / "meta.builds.parquet", f"select * replace ({changed} as parameters) from kept")
    reseal(folder)

    assert_refused(verify(folder, "--rebuild"), "findings.csv", "rules.csv")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("days_since_seen", "1 + days_since_seen"),
        ("select", "selekt"),
    ],
    ids=["another meaning", "no meaning"],
)
def test_a_rebuild_detects_changed_sql(folder: Path, old: str, new: str) -> None:
    path = folder / "sql" / "4_reports" / "population.sql"
    header, body = path.read_text(encoding="utf-8").split("*/", 1)
    assert old in body
    path.write_text(f"{header}*/{body.replace(old, new)}", encoding="utf-8")
    reseal(folder)

    outcome = verify(folder, "--rebuild")
    assert outcome.code == 1
    assert "cannot be built" in outcome.stdout or "differs from its rebuild" in outcome.stdout


def test_a_rebuild_detects_a_removed_model(folder: Path) -> None:
    (folder / "sql" / "4_reports" / "rule_summary.sql").unlink()
    reseal(folder)

    assert_refused(verify(folder, "--rebuild"), "sql, raw, inputs")


def test_a_folder_of_an_earlier_version_is_not_called_changed(folder: Path) -> None:
    (folder / "sql" / "3_findings" / "register.sql").unlink()
    reseal(folder)

    outcome = verify(folder, "--rebuild")
    assert outcome.code == 2
    assert "use the version that manifest.json names" in outcome.stderr
    assert "NOT VERIFIED" not in outcome.stdout


@pytest.mark.parametrize("parameters", ["{}", "[]", '{"rules": 1}', '{"rules": {"no_such_rule": {"enabled": true}}}'])
def test_a_damaged_record_of_the_build_is_reported(folder: Path, parameters: str) -> None:
    change_rows(
        folder / "inputs" / "meta.builds.parquet", f"select * replace ('{parameters}'::json as parameters) from kept"
    )
    reseal(folder)

    assert_refused(verify(folder, "--rebuild"), "sql, raw, inputs")


@pytest.mark.parametrize(
    "statement",
    ["copy (select 1) to '{}' (format csv);", "attach '{}' as elsewhere;", "set allowed_directories = ['/'];"],
)
def test_sql_in_a_folder_cannot_touch_the_machine_that_verifies_it(
    folder: Path, tmp_path: Path, statement: str
) -> None:
    target = tmp_path / "written"
    with (folder / "sql" / "tables.sql").open("a", encoding="utf-8") as file:
        file.write("\n" + statement.format(target) + "\n")
    reseal(folder)

    assert_refused(verify(folder, "--rebuild"), "sql, raw, inputs")
    assert not target.exists()


def test_a_run_is_signed_and_its_key_is_not_written_anywhere(chain: Chain) -> None:
    checked = run_command(chain.keys, "verify", str(chain.reports[2]), "--key", "key.pem.pub", "--rebuild")
    assert checked.code == 0, checked.stdout
    assert f"valid for the key of --key: {chain.fingerprint}" in checked.stdout

    secret = (chain.keys / "key.pem").read_text().splitlines()[1]
    written = [path.read_bytes() for path in chain.folder.rglob("*") if path.is_file()]
    assert len(written) > 80
    assert not any(secret.encode() in content for content in written)
    assert secret not in chain.printed


def test_an_unusable_key_is_reported_before_anything_is_contacted(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("not a key")

    outcome = run_command(finished.folder, "run", ACCESS_REVIEW_PROD_PASSWORD="wrong", **{KEY: str(tmp_path / "key")})

    assert outcome.code == 2
    assert "holds no private key" in outcome.stderr
    assert outcome.stdout == ""


def test_keygen_never_overwrites(tmp_path: Path) -> None:
    assert run_command(tmp_path, "keygen").code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    again = run_command(tmp_path, "keygen")

    assert again.code == 2
    assert "the file exists" in again.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("arguments", [("nowhere",), (".", "--key", "nowhere.pub")])
def test_a_folder_that_cannot_be_checked_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    outcome = run_command(tmp_path, "verify", *arguments)

    assert outcome.code == 2
    assert "nowhere" in outcome.stderr


def test_three_snapshots_make_a_chain_and_an_old_one_can_be_rebuilt(chain: Chain) -> None:
    manifests = [(report / "manifest.json").read_bytes() for report in chain.reports]
    # each continues from the newest report of an earlier snapshot, which for the third is that of another day
    before = [hashlib.sha256(content).hexdigest() for content in (manifests[0], chain.before["manifest.json"])]

    assert [json.loads(content)["previous_manifest_sha256"] for content in manifests] == [None, *before]
    # the two tests above rebuild the first, which is compared with nothing, and the third, which is signed
    checked = run_command(chain.folder, "verify", str(chain.reports[1]), "--rebuild")
    assert checked.code == 0, checked.stdout

    # Building an old snapshot again gives the same report, although the database has later snapshots.
    assert chain.again == manifests[1]


def test_the_directory_of_a_chain_is_verified_at_once(chain: Chain) -> None:
    """The third report is chained to the second's report of another day, which was written to another directory."""
    asked = chain.folder / "then"
    shutil.copytree(next(asked.iterdir()), chain.folder / "out" / next(asked.iterdir()).name)

    checked = run_command(chain.folder, "verify", "--chain", "out")

    assert checked.code == 0, checked.stdout + checked.stderr
    assert checked.stdout.splitlines()[-1] == "verified: out, 1 chain, 4 folders"
    assert_damage_is_marked(chain)
    shutil.rmtree(chain.folder / "out" / next(asked.iterdir()).name)
    missing = run_command(chain.folder, "verify", "--chain", "out")
    assert_refused(missing, chain.reports[1].name)
    assert "has been replaced, or written again" in missing.stdout


def assert_damage_is_marked(chain: Chain) -> None:
    """Damage a copy of the directory: each line of the table says whether its folder is whole."""
    copy = chain.folder / "damaged"
    shutil.copytree(chain.folder / "out", copy)
    changed, cleared, *whole = sorted(folder.name for folder in copy.iterdir() if (folder / "manifest.json").exists())
    with (copy / changed / "access.csv").open("a", encoding="utf-8") as stream:
        stream.write("one more line\n")
    (copy / cleared / "manifest.json").write_text("{}")

    checked = run_command(chain.folder, "verify", "--chain", "damaged")

    lines = [" ".join(line.split()) for line in checked.stdout.splitlines()]
    assert any(line.startswith(f"{changed} 3 problems report ") for line in lines)
    assert f"{cleared} 1 problem" in lines[lines.index("In no chain, because the manifest cannot be used:") :]
    assert any(line.startswith(f"{whole[-1]} verified report ") for line in lines)
    assert lines[-1] == "NOT VERIFIED: damaged, 1 chain, 4 folders, 1 in no chain"
    shutil.rmtree(copy)


def test_an_old_report_can_be_reproduced_byte_for_byte(chain: Chain) -> None:
    before, after = chain.before, chain.after

    assert {"access-review.html", "access-review.xlsx", "findings.csv", "manifest.json"} <= before.keys()
    assert [name for name in before if before[name] != after[name]] == []
    assert before.keys() == after.keys()


def test_the_annex_is_sealed_too(finished: Finished, tmp_path: Path) -> None:
    ran = finished.command("report", "--format", "csv", "--annex", "--out", str(tmp_path))
    assert ran.code == 0, ran.stderr
    annex = next(Path(line) for line in ran.stdout.splitlines() if line.endswith("access-review-annex.pdf"))

    assert len(pypdf.PdfReader(annex).pages) == 1 + math.ceil(ACCOUNTS / 40)
    assert verify(annex.parent).code == 0
    content = bytearray(annex.read_bytes())
    content[1000] ^= 1
    annex.write_bytes(content)
    assert_refused(verify(annex.parent), annex.name)
