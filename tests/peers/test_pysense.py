"""PySense, an independent client of Sisense, logs in to the simulator over TLS and reads everything."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.simulator.population import CALLER
from pipeline.simulator.server import Simulator

PROGRAM = Path(__file__).with_name("pysense_program.py")
GROUP = "Legal Team"
#: The roles that PySense knows.
ROLES = {"super", "admin", "dataAdmin", "dataDesigner", "contributor", "consumer"}


@pytest.mark.skipif(importlib.util.find_spec("PySense") is None, reason="PySenseSDK is not installed")
def test_an_independent_client_logs_in_over_tls_and_reads_everything() -> None:
    with Simulator(500, 4, tls=True) as simulator:
        ran = subprocess.run(
            [sys.executable, PROGRAM, simulator.url, simulator.username, str(simulator.ca_path), GROUP],
            input=simulator.password + "\n", capture_output=True, text=True,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    read = json.loads(ran.stdout.splitlines()[-1])

    population = simulator.population
    [group_id] = [group["_id"] for group in population.groups if group["name"] == GROUP]
    objects = population.objects
    extracts = [model for model in objects.models if not model.is_live]
    assert simulator.username == CALLER
    assert read == {
        "users": [user["_id"] for user in population.users],
        "groups": population.groups,
        "members": population.members[group_id],
        "roles": sorted(role["_id"] for role in population.roles if role["name"] in ROLES),
        "own_role": "admin",
        "own_groups": [],
        "dashboards": {dashboard.oid: dashboard.all_shares for dashboard in objects.dashboards},
        "folders": [folder["oid"] for folder in objects.folders],
        "permissions": {model.title: len(model.shares) for model in extracts},
        "row_rules": {
            model.title: [
                [rule["_id"], rule["members"], [share["type"] for share in rule["shares"]]] for rule in model.rules
            ]
            for model in extracts
        },
    }
