"""``THIRD_PARTY.md`` and the SBOM name the licence of every locked package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def third_party() -> ModuleType:
    spec = importlib.util.spec_from_file_location("third_party", SCRIPTS / "third_party.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["third_party"] = module
    spec.loader.exec_module(module)
    return module


def test_the_list_has_every_locked_package_with_the_licence_that_it_declares(third_party: ModuleType) -> None:
    locked = {(name, version) for packages in third_party.locked().values() for name, version in packages.items()}
    listed = third_party.listed()

    assert set(listed) == locked, "run 'make third-party'"
    installed = {name: third_party.installed(name) for name, _ in listed}
    differing = [
        name
        for (name, version), licence in listed.items()
        if (found := installed[name]) is not None
        and found["Version"] == version
        and licence != third_party.declared(found).replace("|", "/")
    ]
    assert differing == [], "run 'make third-party'"
    assert [each for each, licence in listed.items() if licence == "not declared"] == []


def test_what_runs_the_program_has_a_permissive_licence_or_that_of_mozilla(third_party: ModuleType) -> None:
    """Pyphen may be used under any one of its three licences."""
    parts, listed = third_party.locked(), third_party.listed()

    shipped = {**parts["program"], **parts["spark"]}
    assert {"duckdb", "weasyprint", "pyspark-client"} <= shipped.keys()
    copyleft = {name for name, version in shipped.items() if "GPL" in listed[name, version]}
    assert copyleft == {"pyphen"}
    assert "Mozilla Public License" in listed["pyphen", shipped["pyphen"]]
