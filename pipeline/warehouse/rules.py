"""The rules in force: their headers with the overrides of the configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.spelling import nearest
from pipeline.warehouse.model import SEVERITIES, Model

__all__ = ["RuleInForce", "in_force"]


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """One rule with its parameters in force. ``severity`` replaces the severity of every finding; None keeps them."""

    model: Model
    is_enabled: bool
    severity: str | None
    parameters: Mapping[str, Any]

    @property
    def parameters_text(self) -> str:
        """Return the parameters for readers: ``stale_after_days=90; high_after_days=180``."""
        return "; ".join(f"{name}={value}" for name, value in self.parameters.items())

    @property
    def controls_text(self) -> str:
        """Return the controls for readers: ``soc2: CC6.2; pci: 8.2.6``."""
        return "; ".join(f"{key}: {', '.join(ids)}" for key, ids in self.model.controls.items())


def in_force(models: Sequence[Model], overrides: Mapping[str, Mapping[str, Any]], *, where: str) -> list[RuleInForce]:
    """Return every rule, sorted by id, with the overrides of ``[rules.<rule_id>]`` applied.

    Raises:
        ConfigurationError: an override names no rule or parameter, or has the wrong type.
    """
    rules = {model.name: model for model in models if model.is_rule}
    for rule_id in overrides:
        if rule_id not in rules:
            match = nearest(rule_id, rules)
            raise ConfigurationError(
                f"there is no rule '{rule_id}'",
                where=f"{where}, rules.{rule_id}",
                hint=f"did you mean '{match}'?" if match else "'access-review rules list' shows them all",
            )
    return [_apply(rule, overrides.get(rule_id, {}), where) for rule_id, rule in sorted(rules.items())]


def _apply(rule: Model, override: Mapping[str, Any], where: str) -> RuleInForce:
    parameters = dict(rule.params)
    is_enabled = True
    severity = None
    for key, value in override.items():
        place = f"{where}, rules.{rule.name}.{key}"
        if key == "enabled":
            if not isinstance(value, bool):
                raise ConfigurationError(f"{value!r} is not true or false", where=place, hint="write enabled = false")
            is_enabled = value
        elif key == "severity":
            if value not in SEVERITIES:
                raise ConfigurationError(
                    f"{value!r} is not a severity", where=place, hint=f"use one of: {', '.join(SEVERITIES)}"
                )
            severity = value
        elif key in parameters:
            parameters[key] = _typed(value, parameters[key], place)
        else:
            valid = ["enabled", "severity", *rule.params]
            match = nearest(key, valid)
            raise ConfigurationError(
                f"the rule '{rule.name}' has no parameter '{key}'",
                where=place,
                hint=f"did you mean '{match}'?" if match else f"it has: {', '.join(valid)}",
            )
    return RuleInForce(rule, is_enabled, severity, parameters)


def _typed(value: Any, default: Any, place: str) -> Any:
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default):
        kind = {int: "a whole number", float: "a number", bool: "true or false", str: "a string"}[type(default)]
        raise ConfigurationError(f"{value!r} is not {kind}", where=place, hint=f"the default is {default!r}")
    if isinstance(value, int | float) and not 0 <= value < math.inf:
        raise ConfigurationError(
            f"{value!r} is not a number from zero up", where=place, hint=f"the default is {default!r}"
        )
    return value
