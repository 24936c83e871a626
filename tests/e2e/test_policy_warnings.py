"""A policy line about something unknown gives a warning that names the line."""

from __future__ import annotations

import csv
from pathlib import Path

from pipeline.simulator.server import Simulator
from tests.e2e.conftest import run_command


def append(path: Path, row: list[str]) -> int:
    """Add a row to a policy file; return its line."""
    with path.open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(row)
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_line_about_something_unknown_gives_a_warning(tmp_path: Path) -> None:
    with Simulator(120, 7) as simulator:
        simulator.write_files(tmp_path)
        policy = tmp_path / "policy"
        service = append(policy / "service_accounts.csv", ["svc-nowhere"])
        (policy / "owners.csv").write_text(
            "entitlement_type,entitlement_name,reviewer_email\nrole,admin,a@example.com\ngroup,Nowhere,a@example.com\n"
        )
        (policy / "sod_pairs.csv").write_text(
            "left_type,left_name,right_type,right_name,reason\nrole,Admin,role,nothing,test\n"
        )
        outcome = run_command(tmp_path, "run", "--format", "csv", ACCESS_REVIEW_PROD_PASSWORD=simulator.password)

    assert outcome.code == 0, outcome.stderr
    warnings = [line for line in outcome.stderr.splitlines() if line.startswith("warning:") and "there is no" in line]
    assert warnings == [
        f"warning: service_accounts.csv, line {service}: there is no account 'svc-nowhere'",
        "warning: owners.csv, line 3: there is no group 'Nowhere'",
        "warning: sod_pairs.csv, line 2: there is no role 'nothing'",
    ]
