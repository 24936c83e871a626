"""The build order of models, and the overrides of rules in the configuration."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import ConfigurationError, ModelError
from pipeline.warehouse.model import Model
from pipeline.warehouse.plan import order
from pipeline.warehouse.rules import in_force
from tests.rules import rule

NEVER_LOGGED_IN = rule("Account never used")
STALE_ACCOUNT = rule("Stale account")
TOO_MANY_ADMINS = rule("Too many administrators")

LASTING = frozenset({"raw.users"})


def made(models: list[Model], **reads: tuple[str, ...]) -> list[Model]:
    """Return models named as given that read what is given; the first letter says the layer."""
    schemas = {"s": "staging", "g": "graph", "f": "findings", "r": "reports"}
    return [
        replace(models[0], schema=schemas[name[0]], name=name, reads=needs, columns=())
        for name, needs in reads.items()
    ]


def test_every_model_comes_after_those_it_reads(models: list[Model]) -> None:
    given = made(
        models,
        r_all=("findings.failed", "graph.g_one"),
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


def test_models_that_read_each_other_are_refused(models: list[Model]) -> None:
    with pytest.raises(ModelError, match=r"circle: graph\.g_\w+ -> graph\.g_\w+ -> graph\.g_\w+"):
        order(made(models, g_one=("graph.g_two",), g_two=("graph.g_one",)), LASTING)


def test_a_missing_table_is_reported_with_the_file(models: list[Model]) -> None:
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


def test_an_override_changes_only_the_setting_that_it_names(models: list[Model]) -> None:
    plain = {rule.model.name: rule for rule in in_force(models, {}, where="x.toml")}
    overrides = {
        STALE_ACCOUNT: {"stale_after_days": 60},
        TOO_MANY_ADMINS: {"max_share": 1, "severity": "critical"},
        NEVER_LOGGED_IN: {"enabled": False},
    }

    changed = {rule.model.name: rule for rule in in_force(models, overrides, where="x.toml")}

    assert list(changed) == sorted(plain)
    assert changed[STALE_ACCOUNT].parameters == {"stale_after_days": 60, "high_after_days": 180}
    assert changed[STALE_ACCOUNT].parameters_text == "stale_after_days=60; high_after_days=180"
    assert changed[TOO_MANY_ADMINS].parameters["max_share"] == 1.0
    assert changed[TOO_MANY_ADMINS].severity == "critical"
    assert not changed[NEVER_LOGGED_IN].is_enabled
    assert [name for name in plain if plain[name] != changed[name]] == sorted(overrides)


@pytest.mark.parametrize(
    ("override", "place", "says"),
    [
        ({"stale_acount": {}}, "rules.stale_acount", f"'{STALE_ACCOUNT}'"),
        ({"zzz": {}}, "rules.zzz", "rules list"),
        ({STALE_ACCOUNT: {"stale_days": 1}}, f"rules.{STALE_ACCOUNT}.stale_days", "'stale_after_days'"),
        ({STALE_ACCOUNT: {"enable": False}}, f"rules.{STALE_ACCOUNT}.enable", "'enabled'"),
        ({STALE_ACCOUNT: {"zzz": 1}}, f"rules.{STALE_ACCOUNT}.zzz", "stale_after_days"),
        ({STALE_ACCOUNT: {"stale_after_days": "60"}}, f"rules.{STALE_ACCOUNT}.stale_after_days", "default is 90"),
        ({STALE_ACCOUNT: {"stale_after_days": 60.5}}, f"rules.{STALE_ACCOUNT}.stale_after_days", "default is 90"),
        ({STALE_ACCOUNT: {"stale_after_days": True}}, f"rules.{STALE_ACCOUNT}.stale_after_days", "default is 90"),
        ({STALE_ACCOUNT: {"stale_after_days": [1]}}, f"rules.{STALE_ACCOUNT}.stale_after_days", "default is 90"),
        ({STALE_ACCOUNT: {"stale_after_days": -1}}, f"rules.{STALE_ACCOUNT}.stale_after_days", "default is 90"),
        ({TOO_MANY_ADMINS: {"max_share": float("nan")}}, f"rules.{TOO_MANY_ADMINS}.max_share", "default is 0.02"),
        ({TOO_MANY_ADMINS: {"max_share": float("inf")}}, f"rules.{TOO_MANY_ADMINS}.max_share", "default is 0.02"),
        ({STALE_ACCOUNT: {"severity": "urgent"}}, f"rules.{STALE_ACCOUNT}.severity", "critical"),
        ({STALE_ACCOUNT: {"enabled": "no"}}, f"rules.{STALE_ACCOUNT}.enabled", "enabled = false"),
    ],
)
def test_an_invalid_override_is_reported_with_its_place(
    models: list[Model], override: Mapping[str, Mapping[str, Any]], place: str, says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        in_force(models, override, where="x.toml")

    assert caught.value.where == f"x.toml, {place}"
    assert says in caught.value.hint
