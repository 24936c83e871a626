"""The tables of cases use what the areas they are about use."""

from tests.warehouse.conftest import make_user, models, open_house, source

__all__ = ["make_user", "models", "open_house", "source"]
