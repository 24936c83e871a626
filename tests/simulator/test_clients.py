"""Real clients of Sisense read the simulator and get what it holds: it speaks their language, not only ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.simulator.population import CALLER, Population
from pipeline.simulator.server import Simulator


@pytest.fixture
def vendor(shared: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    pysisense = pytest.importorskip("pysisense")
    monkeypatch.chdir(tmp_path)  # the client writes a logs folder where it stands
    client = pysisense.SisenseClient(
        config_file=None, domain="127.0.0.1", token=shared.token, is_ssl=False, port=shared.port
    )
    yield pysisense.AccessManagement(api_client=client)
    client.session.close()
    for handler in list(client.logger.handlers):
        client.logger.removeHandler(handler)
        handler.close()


def test_the_vendors_client_reads_every_user(vendor, population: Population) -> None:  # type: ignore[no-untyped-def]
    names = {role["_id"]: role["name"] for role in population.roles}

    rows = vendor.get_users_all()

    assert [row["USER_ID"] for row in rows] == [user["_id"] for user in population.users]
    for row, user in zip(rows, population.users, strict=True):
        assert row["EMAIL"] == user["email"]
        assert row["FIRST_NAME"] == user.get("firstName", "")
        assert row["ROLE_RAW_NAME"] == names.get(user.get("roleId"), "")


def test_the_vendors_client_reads_roles_and_groups(vendor, population: Population) -> None:  # type: ignore[no-untyped-def]
    assert {role["name"]: role["_id"] for role in vendor.get_roles()} == {
        role["name"]: role["_id"] for role in population.roles
    }
    assert vendor.get_groups() == population.groups


def test_the_vendors_client_reads_the_members_of_a_group(vendor, population: Population) -> None:  # type: ignore[no-untyped-def]
    for name in ("Finance Team", "Admins", "All users in system"):
        group_id = next(group["_id"] for group in population.groups if group["name"] == name)
        assert [row["USER_ID"] for row in vendor.users_per_group(name)] == population.members[group_id]


def test_the_vendors_client_reads_its_own_user(vendor) -> None:  # type: ignore[no-untyped-def]
    assert vendor.get_my_user()["userName"] == CALLER


def test_the_older_client_logs_in_over_tls_and_reads_everything(population: Population) -> None:
    pysense = pytest.importorskip("PySense.PySense")

    with Simulator(population=population, tls=True) as simulator:
        client = pysense.authenticate_by_password(
            simulator.url, simulator.username, simulator.password, "Linux", verify=str(simulator.ca_path)
        )
        users = client.get_users()
        own = client.get_user_by_email(CALLER)
        groups = client.get_groups()
        team = client.get_groups_by_name(["Legal Team"])[0]
        members = team.get_users()
        of_own = own.get_groups()

    assert [user.get_id() for user in users] == [user["_id"] for user in population.users]
    assert set(client.roles.values()) == {
        role["_id"]
        for role in population.roles
        if role["name"] in {"super", "admin", "dataAdmin", "dataDesigner", "contributor", "consumer"}
    }
    assert client.get_role_by_id(own.get_role_id()).value == "admin"
    assert [group.json for group in groups] == population.groups
    assert [member.get_id() for member in members] == population.members[team.get_id()]
    assert of_own == []
