"""The keys that the header of a model may have, and the values they may take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import ModelError
from pipeline.warehouse.model import CONTROL_KEYS, NEEDS, SEVERITIES, ModelCheck, ModelColumn

__all__ = ["check", "checks", "columns"]

_HEADER_KEYS = {"summary", "view", "reads", "grain", "columns", "checks", "params"}
_RULE_KEYS = {"title", "severity", "population", "remediation", "controls", "needs", "effects"}
_KEYS_OF_SCHEMA = {
    "completeness": {"summary", "reads", "params", "gate", "each"},
    "landed": {"summary", "reads"},
}
_OPTIONAL = {"view", "checks", "params", "controls", "gate", "each", "needs", "effects"}
_MAY_BE_EMPTY = {"reads", "columns"}
#: What each key holds: its type, the type of its items, and how to write it.
_SHAPES: Mapping[str, tuple[type, type | tuple[type, ...], str]] = {
    "summary": (str, str, 'summary = "One sentence."'),
    "title": (str, str, 'title = "A few words"'),
    "severity": (str, str, 'severity = "medium"'),
    "population": (str, str, 'population = "select ..."'),
    "remediation": (str, str, 'remediation = "What to do."'),
    "needs": (str, str, 'needs = "roster"'),
    "view": (bool, bool, "view = true"),
    "reads": (list, str, 'reads = ["graph.accounts"]'),
    "grain": (list, str, 'grain = ["source", "account_id"]'),
    "columns": (dict, str, 'name = "type: description" under [columns]'),
    "checks": (dict, dict, "level and sql under [checks.<name>]"),
    "params": (dict, (bool, int, float, str), "name = 90 under [params]"),
    "controls": (dict, list, 'soc2 = ["CC6.2"] under [controls]'),
    "effects": (dict, object, 'recommendation = "remove" under [effects]'),
    "gate": (bool, bool, "gate = true"),
    "each": (str, str, 'each = "list"'),
}
_CHECK_LEVELS = ("fail", "input", "warn")
#: Names with another meaning in ``[rules.<rule_id>]`` of the configuration.
_RESERVED_PARAMETERS = {"enabled", "severity"}


def check(schema: str, header: Mapping[str, Any], *, where: str) -> None:
    """Refuse unknown, missing and malformed keys in the header of a model of this schema; ``where`` is its file.

    Raises:
        ModelError: the first thing that is wrong.
    """
    # A model of findings that declares columns and no key of a rule is an ordinary model, such as the register.
    is_rule = schema == "findings" and ("columns" not in header or bool(_RULE_KEYS & header.keys()))
    valid = _HEADER_KEYS - {"columns", "view"} | _RULE_KEYS if is_rule else _KEYS_OF_SCHEMA.get(schema, _HEADER_KEYS)
    for key, value in header.items():
        if key not in valid:
            raise ModelError(
                f"unknown header key '{key}'", where=where, hint=f"the keys are: {', '.join(sorted(valid))}"
            )
        _check_shape(key, value, where)
    for key in sorted(valid - _OPTIONAL):
        if not header.get(key) and not (key in _MAY_BE_EMPTY and key in header):
            raise ModelError(f"the header has no '{key}'", where=where, hint=f"add {key} = ...")
    reserved = sorted(_RESERVED_PARAMETERS & header.get("params", {}).keys())
    if reserved:
        raise ModelError(f"{reserved} cannot be a parameter", where=where, hint="the configuration uses that name")
    names = header.get("columns", {})
    if names and not names.keys() >= set(header.get("grain", ())):
        raise ModelError(
            f"the grain {list(header['grain'])} has no such columns", where=where, hint="name columns under [columns]"
        )
    if is_rule:
        _check_rule(header, where)


def columns(table: Mapping[str, str], *, where: str) -> Iterator[ModelColumn]:
    """Yield the columns that ``[columns]`` declares.

    Raises:
        ModelError: a column has no description.
    """
    for name, text in table.items():
        kind, colon, description = text.partition(": ")
        if not colon:
            raise ModelError(
                f"column '{name}' has no description", where=where, hint=f'write {name} = "type: description"'
            )
        yield ModelColumn(name, kind.strip(), description.strip())


def checks(table: Mapping[str, Mapping[str, Any]], *, where: str) -> Iterator[ModelCheck]:
    """Yield the checks of ``[checks.<name>]``.

    Raises:
        ModelError: a check has no SQL, an unknown key or an unknown level.
    """
    for name, spec in table.items():
        level = spec.get("level", "fail")
        if spec.keys() - {"level", "sql"} or not isinstance(spec.get("sql"), str) or level not in _CHECK_LEVELS:
            raise ModelError(
                f"the check '{name}' is malformed",
                where=where,
                hint=f"give sql, and a level: {', '.join(_CHECK_LEVELS)}",
            )
        yield ModelCheck(name, level, spec["sql"])


def _check_shape(key: str, value: Any, where: str) -> None:
    outer, inner, sample = _SHAPES[key]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    if not isinstance(value, outer) or not all(isinstance(item, inner) for item in items):
        raise ModelError(f"'{key}' has the wrong type", where=where, hint=f"write {sample}")


def _check_rule(header: Mapping[str, Any], where: str) -> None:
    if header["severity"] not in SEVERITIES:
        raise ModelError(
            f"'{header['severity']}' is not a severity", where=where, hint=f"use one of: {', '.join(SEVERITIES)}"
        )
    if header.get("needs") not in {None, *NEEDS}:
        raise ModelError(
            f"'{header['needs']}' is not an input that a rule can need",
            where=where,
            hint=f"use one of: {', '.join(NEEDS)}",
        )
    if not {"source", "person_id"} & set(header["grain"]):
        raise ModelError("the grain has no 'source'", where=where, hint='begin it with "source", or use "person_id"')
    for key in header.get("controls", {}):
        if key not in CONTROL_KEYS:
            raise ModelError(
                f"'{key}' is not a control framework", where=where, hint=f"use: {', '.join(CONTROL_KEYS)}"
            )
