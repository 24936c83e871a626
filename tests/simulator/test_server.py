"""The simulator as a server: addresses, TLS, and the configuration that it writes."""

from __future__ import annotations

import csv
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from pipeline import settings
from pipeline.errors import UsageError
from pipeline.simulator.population import Population
from pipeline.simulator.server import Simulator


def test_the_files_are_a_valid_configuration_of_this_simulator(tmp_path: Path, population: Population) -> None:
    with Simulator(population=population) as simulator:
        paths = simulator.write_files(tmp_path)

        loaded = settings.load_settings(paths["access-review.toml"])

    source = loaded.source("prod")
    assert (source.url, source.username) == (simulator.url, simulator.username)
    assert loaded.organization.email_domains == ("example.com",)
    assert loaded.roster is not None
    assert loaded.roster.path == paths["people.csv"]
    assert loaded.policy is not None
    assert paths["policy/service_accounts.csv"].parent == loaded.policy.directory
    assert "synthetic" in paths["access-review.toml"].read_text()
    assert simulator.password not in paths["access-review.toml"].read_text()


def test_the_answer_key_is_written_completely(tmp_path: Path, population: Population) -> None:
    path = Simulator(population=population).write_files(tmp_path)["planted.csv"]

    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) >= {"rule_id", "severity", "account_id", "detail"}
    assert len(rows) == sum(len(items) for items in population.planted.values())


def test_only_its_own_certificate_makes_tls_trusted(population: Population) -> None:
    with Simulator(population=population, tls=True) as simulator:
        trusted = httpx.get(
            f"{simulator.url}/api/v1/application/status",
            verify=ssl.create_default_context(cafile=str(simulator.ca_path)),
        )
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{simulator.url}/api/v1/application/status")

    assert simulator.url.startswith("https://127.0.0.1:")
    assert trusted.status_code == 200


def test_a_chosen_port_is_used_and_a_taken_one_refused(population: Population) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)), Simulator(population=population, port=port):
            pass

    with Simulator(population=population, port=port) as simulator:
        assert simulator.url == f"http://127.0.0.1:{port}"


def test_too_few_accounts_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="too few"):
        Simulator(10)


def test_nothing_listens_after_the_block(population: Population) -> None:
    with Simulator(population=population) as simulator:
        pass

    with pytest.raises(httpx.ConnectError):
        httpx.get(simulator.url)
