"""A Sisense with a SCIM endpoint beside it, and a directory over SCIM, as a user configures them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from pipeline.simulator.population import SMALLEST
from pipeline.simulator.server import Simulator
from tests.e2e.conftest import ACCOUNTS, Outcome, run_command
from tests.e2e.remediating import Prepared
from tests.fakes.http import HttpServer, Request
from tests.fakes.scim import TOKEN, RealScim
from tests.fakes.scim_client import OverHttp
from tests.rules import rule

IDP_DRIFT = rule("Differs from the identity provider")
LEAVER_ACTIVE = rule("Leaver still active")
OUT_OF_BAND_ACCOUNT = rule("Account unknown to the identity provider")
ROLE_NOT_ASSIGNED = rule("No role assigned after provisioning")


class Configured:
    """A folder that configures a Sisense, SCIM beside it, and a directory over SCIM."""

    def __init__(self, folder: Path, simulator: Simulator, scim_url: str) -> None:
        self.folder = folder
        self._simulator = simulator
        simulator.write_files(folder)
        path = folder / "access-review.toml"
        text = path.read_text().replace(
            f'url = "{simulator.url}"', f'url = "{simulator.url}"\nscim_url = "{scim_url}"'
        )
        path.write_text(f'{text}\n[sources.idp]\nkind = "scim"\nurl = "{scim_url}"\npage_size = 37\n')

    def command(self, *arguments: str, token: str = TOKEN) -> Outcome:
        return run_command(
            self.folder,
            *arguments,
            ACCESS_REVIEW_PROD_PASSWORD=self._simulator.password,
            ACCESS_REVIEW_PROD_SCIM_TOKEN=token,
            ACCESS_REVIEW_IDP_TOKEN=token,
        )


@pytest.fixture
def configured(tmp_path: Path, simulator: Simulator) -> Iterator[Configured]:
    with HttpServer(RealScim(120, 6).answer) as http:
        yield Configured(tmp_path, simulator, f"{http.url}/scim/v2")


def test_sisense_and_scim_are_extracted_into_one_full_snapshot(configured: Configured) -> None:
    done = configured.command("extract")

    assert done.code == 0, done.stderr
    with duckdb.connect(configured.folder / "access-review.duckdb", read_only=True) as connection:
        landed = connection.execute(
            "select source, count(*) from raw.scim_users where is_accepted group by source order by source"
        ).fetchall()
        compared = connection.execute(
            "select source, expected, observed, result from meta.reconciliation where check_id = 'scim_total' "
            "order by source"
        ).fetchall()
        assert landed == [("idp", 120), ("prod", 120)]
        assert compared == [("idp", None, "120", "NOT_AVAILABLE"), ("prod", str(ACCOUNTS), "120", "FAIL")]
    written = (path for path in configured.folder.rglob("*") if path.is_file())
    assert not any(TOKEN.encode() in path.read_bytes() for path in written)


def test_a_refused_token_beside_a_sisense_makes_the_extract_partial(configured: Configured) -> None:
    done = configured.command("extract", token="not-the-scim-token")

    assert done.code == 3
    assert "no SCIM here" in done.stderr
    assert "not-the-scim-token" not in done.stderr + done.stdout


def test_check_shows_the_endpoint_and_print_setup_the_values_for_a_provider(configured: Configured) -> None:
    checked = configured.command("scim", "check")
    refused = configured.command("scim", "check", token="not-the-scim-token")
    setup = configured.command("scim", "check", "--print-setup")

    assert checked.code == 0, checked.stderr
    assert checked.stdout.count("120 users, 6 groups; supports patch") == 2
    assert refused.code == 3
    assert "Admin > Security" in refused.stderr
    assert "ACCESS_REVIEW_PROD_SCIM_TOKEN" in setup.stdout
    assert TOKEN not in setup.stdout + checked.stdout


def test_sync_lists_the_differences_between_scim_and_sisense(tmp_path: Path, simulator: Simulator) -> None:
    known = next(
        user for user in simulator.population.users if user.get("active") is True and "@" in user.get("email", "")
    )
    real = RealScim(3, 1)

    def same_person(request: Request, document: dict[str, Any]) -> dict[str, Any]:
        for record in document.get("Resources", []):
            if record.get("userName") == "user1@example.com":
                record |= {"userName": known["userName"], "active": False, "emails": [{"value": "other@example.com"}]}
        return document

    real.after = same_person
    with HttpServer(real.answer) as http:
        configured = Configured(tmp_path, simulator, f"{http.url}/scim/v2")
        extracted = configured.command("extract")
        built = configured.command("build")

    assert (extracted.code, built.code) == (0, 0), extracted.stderr + built.stderr
    done = configured.command("--json", "scim", "sync", "--report")
    assert done.code == 0, done.stderr
    found = done.result
    differences = {(row["scim_source"], row["difference"], row["account_id"]) for row in found}
    for source in ("prod", "idp"):
        assert {(source, "status", known["_id"]), (source, "email", known["_id"])} <= differences
        assert sum(row["difference"] == "only_in_scim" for row in found if row["scim_source"] == source) == 2
        missing = sum(row["difference"] == "only_in_sisense" for row in found if row["scim_source"] == source)
        assert missing == len(simulator.population.users) - 1


def test_sync_without_scim_explains_what_to_configure(prepared: Prepared) -> None:
    done = run_command(prepared.built, "scim", "sync", "--report")

    assert done.code == 4
    assert "scim_url" in done.stderr


def findings(report: Path, rule_id: str) -> list[dict[str, str]]:
    with (report / "findings.csv").open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["rule_id"] == rule_id]


def test_provisioned_accounts_get_roles_and_the_report_shows_those_without(tmp_path: Path) -> None:
    with Simulator(SMALLEST) as simulator:
        simulator.write_files(tmp_path)
        path = tmp_path / "access-review.toml"
        path.write_text(
            path.read_text().replace(
                f'url = "{simulator.url}"', f'url = "{simulator.url}"\nscim_url = "{simulator.scim_url}"'
            )
        )
        secrets = {
            "ACCESS_REVIEW_PROD_PASSWORD": simulator.password,
            "ACCESS_REVIEW_PROD_SCIM_TOKEN": simulator.scim_token,
        }
        headers = {"Authorization": f"Bearer {simulator.scim_token}"}
        pushed = {}
        # the provider pushes three people and a group
        with httpx.Client(base_url=simulator.scim_url, headers=headers, timeout=20) as http:
            provider = OverHttp(http)
            provider.discover()
            user, group = provider.get_resource_model("User"), provider.get_resource_model("Group")
            for name in ("first", "second", "third"):
                made = provider.create(
                    user(
                        user_name=f"{name}@example.com",
                        external_id=f"00u-{name}",
                        active=True,
                        name=user.Name(given_name=name.title(), family_name="Pushed"),
                        emails=[user.Emails(value=f"{name}@example.com", primary=True)],
                    )
                )
                pushed[name] = made.id
            provider.create(
                group(display_name="BI Newcomers", members=[group.Members(value=each) for each in pushed.values()])
            )
        # two of them get a role over REST
        given = [
            run_command(tmp_path, "users", "update", f"{name}@example.com", "--role", "Designer", **secrets)
            for name in ("first", "second")
        ]
        later = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
        done = run_command(tmp_path, "run", "--format", "csv", "--as-of", later, "--out", "reports", **secrets)
        compared = run_command(tmp_path, "--json", "scim", "sync", "--report")

    assert [each.code for each in given] == [0, 0], given
    assert done.code == 0, done.stderr
    [report] = (path.parent for path in (tmp_path / "reports").rglob("findings.csv"))
    lacking = {row["account_id"] for row in findings(report, ROLE_NOT_ASSIGNED)}
    assert lacking == {pushed["third"]}
    # the provider lists only the accounts it pushed
    strangers = {row["account_id"] for row in findings(report, OUT_OF_BAND_ACCOUNT)}
    assert strangers
    assert not strangers & set(pushed.values())
    assert not findings(report, IDP_DRIFT)
    by_name = {row["subject"]: row["difference"] for row in compared.result}
    assert by_name["Third Pushed"] == "lowest_role"
    assert "First Pushed" not in by_name
    with (report / "access.csv").open(encoding="utf-8", newline="") as stream:
        access = [row for row in csv.DictReader(stream) if row["entitlement_name"] == "BI Newcomers"]
    assert {row["account_id"] for row in access} == set(pushed.values())


def test_an_identity_provider_over_scim_can_be_the_roster(tmp_path: Path, simulator: Simulator) -> None:
    active = [
        user
        for user in simulator.population.users
        if user.get("active") is True and str(user.get("email", "")).endswith("@example.com")
    ]
    stays, left = active[10], active[11]
    real = RealScim(3, 1)

    def people(request: Request, document: dict[str, Any]) -> dict[str, Any]:
        for record in document.get("Resources", []):
            if record.get("userName") == "user1@example.com":
                record |= {"userName": stays["email"], "emails": [{"value": stays["email"]}], "active": True}
            if record.get("userName") == "user2@example.com":
                meta = {"lastModified": "2026-01-05T08:00:00Z"}
                record |= {"userName": left["email"], "emails": [{"value": left["email"]}], "active": False} | {
                    "meta": meta
                }
        return document

    real.after = people
    with HttpServer(real.answer) as http:
        configured = Configured(tmp_path, simulator, f"{http.url}/scim/v2")
        path = tmp_path / "access-review.toml"
        path.write_text(path.read_text().replace('path = "people.csv"', 'source = "idp"'))
        checked = configured.command("check")
        done = configured.command("run", "--format", "csv", "--out", "reports")
    missing = configured.command("extract", "prod")

    assert "the users of source 'idp'" in checked.stdout
    assert done.code == 0, done.stderr
    assert missing.code == 3  # the provider has stopped by then
    [report] = (path.parent for path in (tmp_path / "reports").rglob("findings.csv"))
    assert {row["account_id"] for row in findings(report, LEAVER_ACTIVE)} >= {left["_id"]}
    manifest = json.loads((report / "manifest.json").read_text())
    assert (manifest["roster"]["path"], manifest["roster"]["rows"]) == ("source idp", 3)
    with (report / "population.csv").open(encoding="utf-8", newline="") as stream:
        population = {row["account_id"]: row for row in csv.DictReader(stream)}
    assert population[stays["_id"]]["employment_status"] == "active"
    assert (population[left["_id"]]["employment_status"], population[left["_id"]]["person_match"]) == (
        "ended",
        "email",
    )
    rebuilt = run_command(tmp_path, "verify", str(report), "--rebuild")
    assert rebuilt.code == 0, rebuilt.stdout + rebuilt.stderr


def test_accounts_and_groups_are_changed_over_scim(tmp_path: Path) -> None:
    with Simulator(SMALLEST) as simulator:
        simulator.write_files(tmp_path)
        path = tmp_path / "access-review.toml"
        without = run_command(tmp_path, "users", "deactivate", "x", "--scim", ACCESS_REVIEW_PROD_PASSWORD="p")
        path.write_text(
            path.read_text().replace(
                f'url = "{simulator.url}"', f'url = "{simulator.url}"\nscim_url = "{simulator.scim_url}"'
            )
        )
        secrets = {
            "ACCESS_REVIEW_PROD_PASSWORD": simulator.password,
            "ACCESS_REVIEW_PROD_SCIM_TOKEN": simulator.scim_token,
        }
        create = ("users", "create", "--scim", "--email", "ann@example.com", "--role", "Viewer")
        made = run_command(tmp_path, *create, **secrets)
        password = run_command(tmp_path, *create, "--password", "generated", **secrets)
        group = run_command(
            tmp_path, "scim", "group", "create", "Sales EMEA", "--member", "ann@example.com", **secrets
        )
        unmeant = run_command(tmp_path, "scim", "group", "delete", "Sales EMEA", **secrets)
        off = run_command(tmp_path, "users", "deactivate", "ann@example.com", "--scim", **secrets)
        users = {user.get("userName"): user for user in simulator.sisense.store.users}
        groups = {each["name"]: key for key, each in simulator.sisense.store.groups.items()}

    assert (without.code, "scim_url" in without.stderr) == (2, True)
    assert (made.code, group.code, off.code) == (0, 0, 0), made.stderr + group.stderr + off.stderr
    assert (password.code, unmeant.code) == (2, 2)
    assert users["ann@example.com"]["active"] is False
    assert users["ann@example.com"]["groups"] == [groups["Sales EMEA"]]
    assert simulator.scim_token not in made.stdout + made.stderr + off.stdout + off.stderr
