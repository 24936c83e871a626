"""Only the commands that exist to change Sisense send a change."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.cli.main import app
from pipeline.simulator.server import Simulator
from tests.e2e.conftest import run_command
from tests.e2e.program import disable_rules
from tests.rules import rule

STALE_ACCOUNT = rule("Stale account")

#: The commands whose purpose is to change accounts.
WRITING = {
    "remediate apply", "users create", "users update", "users deactivate", "users delete",
    "scim group create", "scim group update", "scim group delete",
}  # fmt: skip
#: These start a server of their own, or only write files.
ELSEWHERE = {"demo", "simulate", "init", "keygen", "review serve"}
#: All other commands, in an order in which each has what it needs; ``?`` stands for a user name.
READING = {
    "check": [],
    "extract": [],
    "build": [],
    "run": ["--format", "csv"],
    "report": ["--format", "csv"],
    "remediate plan": ["--stale-days", "90"],
    "remediate approve": ["remediation-plan.json", "--by", "Ann", "--email", "ann@example.com"],
    "remediate status": [],
    "remediate undo": [],
    "remediate verify": [],
    "users get": ["?"],
    "snapshots": [],
    "snapshots list": [],
    "snapshots show": ["?"],
    "snapshots prune": ["--keep-days", "1"],
    "diff": ["?", "?"],
    "merge": ["?", "?"],
    "rules list": [],
    "rules show": [STALE_ACCOUNT],
    "sql": ["select 1"],
    "catalog": [],
    "verify": ["?"],
    "review open": ["--name", "q", "--scope", "privileged", "--reviewer", "ciso@example.com", "--due", "2027-01-01"],
    "review packets": [],
    "review due": [],
    "review invite": [],
    "review remind": [],
    "review reassign": ["--all", "--from", "ciso@example.com", "--to", "cso@example.com", "--reason", "on leave"],
    "review import": ["?"],
    "review status": [],
    "review sign-off": ["--by", "Ann", "--email", "ann@example.com", "--role", "CISO"],
    "scim check": [],
    "scim diff": [],
    "scim sync": [],
    "watch": ["--once", "--every", "1h"],
    "evidence stamp": ["?"],
    "database check": [],
    "database backup": [],
    "database prune-backups": [],
    "database restore": ["?"],
    "database compact": [],
    "database upgrade": [],
}


def names(command: object, above: str = "") -> set[str]:
    found: set[str] = set()
    for name, child in getattr(command, "commands", {}).items():
        below = names(child, f"{above}{name} ")
        found |= below or {f"{above}{name}"}
    return found


def test_only_writing_commands_send_a_change(tmp_path: Path) -> None:
    known = names(typer.main.get_command(app))
    with Simulator(60, 7) as simulator:
        simulator.write_files(tmp_path)
        disable_rules(tmp_path)
        before = list(simulator.sisense.store.users)

        codes = {}
        for command in [name for name in READING if name in known]:
            given = [simulator.username if word == "?" else word for word in READING[command]]
            outcome = run_command(tmp_path, *command.split(), *given, ACCESS_REVIEW_PROD_PASSWORD=simulator.password)
            codes[command] = outcome.code

        sent = {(e.method, e.path) for e in simulator.sisense.log if e.method != "GET"}

    assert known - WRITING - ELSEWHERE <= set(READING)
    assert sent == {("POST", "/api/v1/authentication/login")}
    assert simulator.sisense.store.users == before
    # the commands that read the source did so
    for command in ("check", "extract", "run", "users get", "remediate plan", "remediate verify"):
        assert codes[command] == 0, command
    assert set(codes.values()) <= {0, 1, 2, 4}
