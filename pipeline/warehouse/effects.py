"""The ``[effects]`` of a rule: what its findings mean for access, risk, remediation, the summary and events."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ModelError

__all__ = ["Effects", "read"]

_RECOMMENDATIONS = ("keep", "remove", "reduce", "investigate")
_MARKED = ("account", "role", "group", "object")
_COMPARED = ("role", "group")
#: Numbers of the management summary that count the findings of rules.
_HEADLINES = ("leavers_active",)
#: Each key: its type, and how to write it.
_SHAPES: Mapping[str, tuple[type, str]] = {
    "recommendation": (str, 'recommendation = "remove"'),
    "on": (str, 'on = "account"'),
    "reason": (str, 'reason = "The account has not been used for a long time."'),
    "comes_first": (bool, "comes_first = true"),
    "deactivates": (bool, "deactivates = true"),
    "headline": (str, 'headline = "leavers_active"'),
    "event": (str, 'event = "login_after_end"'),
    "event_when_used": (bool, "event_when_used = true"),
    "compares": (str, 'compares = "role"'),
    "risk": (dict, 'factor = "stale" and likelihood = 3 under [effects.risk]'),
}
_VALUES: Mapping[str, Sequence[str]] = {
    "recommendation": _RECOMMENDATIONS,
    "on": _MARKED,
    "headline": _HEADLINES,
    "compares": _COMPARED,
}
#: The keys that only findings about one account can have.
_OF_ACCOUNTS = ("deactivates", "headline", "event", "event_when_used")
_PEER_PARAMETERS = {"min_peers", "rare_share"}


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of a rule's findings elsewhere. The fields are columns of ``reference.rules``, in this order.

    ``marks`` is ``on`` of the header. ``risk_likelihood`` is a whole number from zero up.
    """

    recommendation: str | None = None
    marks: str | None = None
    reason: str | None = None
    comes_first: bool = False
    deactivates: bool = False
    risk_factor: str | None = None
    risk_likelihood: int | None = None
    headline: str | None = None
    event: str | None = None
    compares: str | None = None
    event_when_used: bool = False


def read(table: Mapping[str, Any], header: Mapping[str, Any], *, where: str) -> Effects:
    """Read ``[effects]`` of a rule's header; ``where`` is the file.

    Raises:
        ModelError: an unknown key, a wrong value, or an effect that the rule's grain or parameters do not allow.
    """
    for key, value in table.items():
        if key not in _SHAPES:
            raise ModelError(
                f"unknown key '{key}' in [effects]", where=where, hint=f"the keys are: {', '.join(_SHAPES)}"
            )
        kind, sample = _SHAPES[key]
        if not isinstance(value, kind) or (isinstance(value, str) and not value.strip()):
            raise ModelError(f"'{key}' in [effects] has the wrong type", where=where, hint=f"write {sample}")
        if key in _VALUES and value not in _VALUES[key]:
            raise ModelError(
                f"'{value}' is not a valid '{key}' in [effects]",
                where=where,
                hint=f"use one of: {', '.join(_VALUES[key])}",
            )
    _check_together(table, header, where)
    risk = _risk(table["risk"], where) if "risk" in table else (None, None)
    return Effects(
        recommendation=table.get("recommendation"),
        marks=table.get("on"),
        reason=table.get("reason"),
        comes_first=table.get("comes_first", False),
        deactivates=table.get("deactivates", False),
        risk_factor=risk[0],
        risk_likelihood=risk[1],
        headline=table.get("headline"),
        event=table.get("event"),
        compares=table.get("compares"),
        event_when_used=table.get("event_when_used", False),
    )


def _check_together(table: Mapping[str, Any], header: Mapping[str, Any], where: str) -> None:
    """Refuse effects that lack a part, or that do not fit the rule's grain or parameters."""
    suggested = {"recommendation", "on", "reason"}
    missing = sorted(suggested - table.keys())
    if missing and (suggested | {"comes_first"}) & table.keys():
        raise ModelError(
            f"[effects] has no '{missing[0]}'", where=where, hint=f"write {_SHAPES[missing[0]][1]} beside the others"
        )
    for key in _OF_ACCOUNTS:
        if table.get(key) and "account_id" not in header["grain"]:
            raise ModelError(
                f"'{key}' in [effects] needs findings about accounts",
                where=where,
                hint='add "account_id" to the grain, or remove the key',
            )
    if "event" in table and not re.fullmatch(r"[a-z][a-z_]*", table["event"]):
        raise ModelError(
            f"'{table['event']}' is not a name for an event", where=where, hint="use a-z and '_', a letter first"
        )
    if table.get("event_when_used") and "event" not in table:
        raise ModelError(
            "'event_when_used' in [effects] needs an event",
            where=where,
            hint='write event = "login_after_end" beside it',
        )
    if "compares" in table and not header.get("params", {}).keys() >= _PEER_PARAMETERS:
        raise ModelError(
            "'compares' in [effects] needs the parameters min_peers and rare_share",
            where=where,
            hint="declare both under [params]",
        )


def _risk(table: Mapping[str, Any], where: str) -> tuple[str, int]:
    factor, likelihood = table.get("factor"), table.get("likelihood")
    if (
        table.keys() != {"factor", "likelihood"}
        or not isinstance(factor, str)
        or not factor.strip()
        or type(likelihood) is not int
        or likelihood < 0
    ):
        raise ModelError("[effects.risk] is malformed", where=where, hint='write factor = "stale" and likelihood = 3')
    return factor, likelihood
