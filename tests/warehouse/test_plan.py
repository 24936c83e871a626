"""The order of models, and the rules as the configuration changes them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import ConfigurationError, ModelError
from pipeline.warehouse.model import Model
from pipeline.warehouse.plan import order
from pipeline.warehouse.rules import in_force

LASTING = frozenset({"raw.users"})


def made(models: list[Model], **reads: tuple[str, ...]) -> list[Model]:
    """Return models named as given that read what is given; the first letter says the layer."""
    schemas = {"s": "staging", "g": "graph", "f": "findings", "r": "reports"}
    return [replace(models[0], schema=schemas[name[0]], name=name, reads=needs) for name, needs in reads.items()]


def test_every_model_comes_after_those_it_reads(models: list[Model]) -> None:
    given = made(
        models,
        r_all=("findings.register", "graph.g_one"),
        g_two=("graph.g_one",),
        f_b=("graph.g_two",),
        f_a=("graph.g_one",),
        g_one=("staging.s_one",),
        s_one=("raw.users",),
    )

    names = [model.name for model in order(given, LASTING)]

    assert names.index("s_one") < names.index("g_one") < names.index("g_two") < names.index("f_b")
    assert names[-1] == "r_all"
    assert names == [model.name for model in order(reversed(given), LASTING)]


def test_a_circle_is_shown(models: list[Model]) -> None:
    with pytest.raises(ModelError, match=r"circle: graph\.g_\w+ -> graph\.g_\w+ -> graph\.g_\w+"):
        order(made(models, g_one=("graph.g_two",), g_two=("graph.g_one",)), LASTING)


def test_a_table_that_nothing_makes_is_named_with_the_file(models: list[Model]) -> None:
    given = made(models, s_one=("raw.userz",))

    with pytest.raises(ModelError, match=r"nothing makes the table raw\.userz") as caught:
        order(given, LASTING)

    assert caught.value.where == str(given[0].path)


def test_the_shipped_models_have_an_order(models: list[Model]) -> None:
    built = {"staging", "graph", "findings", "reports"}
    tables = {model.table for model in models}
    lasting = {table for model in models for table in model.reads if table.partition(".")[0] not in built}

    found = order([model for model in models if model.schema in built], frozenset(lasting))

    assert {model.table for model in found} == {table for table in tables if table.partition(".")[0] in built}


def test_an_override_changes_what_it_names_and_nothing_else(models: list[Model]) -> None:
    plain = {rule.model.name: rule for rule in in_force(models, {}, where="x.toml")}
    overrides = {
        "stale_account": {"stale_after_days": 60},
        "too_many_admins": {"max_share": 1, "severity": "critical"},
        "never_logged_in": {"enabled": False},
    }

    changed = {rule.model.name: rule for rule in in_force(models, overrides, where="x.toml")}

    assert list(changed) == sorted(plain)
    assert changed["stale_account"].parameters == {"stale_after_days": 60, "high_after_days": 180}
    assert changed["stale_account"].parameters_text == "stale_after_days=60; high_after_days=180"
    assert changed["too_many_admins"].parameters["max_share"] == 1.0
    assert changed["too_many_admins"].severity == "critical"
    assert not changed["never_logged_in"].is_enabled
    assert [name for name in plain if plain[name] != changed[name]] == sorted(overrides)


@pytest.mark.parametrize(
    ("override", "place", "says"),
    [
        ({"stale_acount": {}}, "rules.stale_acount", "'stale_account'"),
        ({"zzz": {}}, "rules.zzz", "rules list"),
        ({"stale_account": {"stale_days": 1}}, "rules.stale_account.stale_days", "'stale_after_days'"),
        ({"stale_account": {"enable": False}}, "rules.stale_account.enable", "'enabled'"),
        ({"stale_account": {"zzz": 1}}, "rules.stale_account.zzz", "stale_after_days"),
        ({"stale_account": {"stale_after_days": "60"}}, "rules.stale_account.stale_after_days", "default is 90"),
        ({"stale_account": {"stale_after_days": 60.5}}, "rules.stale_account.stale_after_days", "default is 90"),
        ({"stale_account": {"stale_after_days": True}}, "rules.stale_account.stale_after_days", "default is 90"),
        ({"stale_account": {"stale_after_days": [1]}}, "rules.stale_account.stale_after_days", "default is 90"),
        ({"stale_account": {"stale_after_days": -1}}, "rules.stale_account.stale_after_days", "default is 90"),
        ({"too_many_admins": {"max_share": float("nan")}}, "rules.too_many_admins.max_share", "default is 0.02"),
        ({"too_many_admins": {"max_share": float("inf")}}, "rules.too_many_admins.max_share", "default is 0.02"),
        ({"stale_account": {"severity": "urgent"}}, "rules.stale_account.severity", "critical"),
        ({"stale_account": {"enabled": "no"}}, "rules.stale_account.enabled", "enabled = false"),
    ],
)
def test_a_wrong_override_is_named_with_its_place(
    models: list[Model], override: Mapping[str, Mapping[str, Any]], place: str, says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        in_force(models, override, where="x.toml")

    assert caught.value.where == f"x.toml, {place}"
    assert says in caught.value.hint
