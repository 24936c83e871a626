"""Fixtures for the tables of cases: those of other areas, and a database with the reference data."""

from collections.abc import Iterator

import pytest

from pipeline import resources
from pipeline.warehouse import database
from pipeline.warehouse.database import Connection
from pipeline.warehouse.policy import load_reference
from tests.sources.conftest import certificate, extracting
from tests.warehouse.conftest import make_user, models, open_house, source

__all__ = ["certificate", "extracting", "make_user", "models", "open_house", "source"]


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with database.in_memory() as connection:
        load_reference(connection, resources.reference_data())
        yield connection
