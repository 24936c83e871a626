"""The tables share the fixtures of the areas that they are about: sources with a clock of their own, a warehouse."""

from tests.sources.conftest import certificate, extracting
from tests.warehouse.conftest import make_user, models, open_house, source

__all__ = ["certificate", "extracting", "make_user", "models", "open_house", "source"]
