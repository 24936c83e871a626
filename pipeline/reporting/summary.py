"""The first page of a report: sentences, four numbers, and sums that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting.text import count, number

__all__ = [
    "NOT_EVALUATED",
    "Identity",
    "Sections",
    "Tile",
    "checks_said",
    "coverage",
    "found_on",
    "headline",
    "identities",
    "tiles",
]

#: Replaces the number of a rule that is off or could not be evaluated.
NOT_EVALUATED = "not evaluated"
#: What a finding is on if it is not on an account.
OTHER_SUBJECTS = "on groups, roles, dashboards, data models and sources"

Row = dict[str, Any]
#: Section -> key, label and value of its numbers, in their order.
Sections = dict[str, list[tuple[str, str, int]]]


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the four numbers at the top of the summary."""

    value: str
    label: str

    @property
    def is_number(self) -> bool:
        """Return whether the value is a number."""
        return self.value != NOT_EVALUATED


@dataclass(frozen=True, slots=True)
class Identity:
    """A sum that must hold, ``total = part + part``: each is a number and the name of what it counts."""

    total: tuple[int, str]
    parts: tuple[tuple[int, str], ...]

    @property
    def holds(self) -> bool:
        """Return whether the parts add up to the total."""
        return self.total[0] == sum(value for value, _ in self.parts)


def headline(figures: dict[str, int], severities: dict[str, int]) -> tuple[str, ...]:
    """Return what the findings mean for the reader, in a sentence or two."""
    in_scope = figures["in_scope"]
    clean = figures["in_scope_without_findings"]
    leavers = figures.get("leavers_active", 0)
    critical, high = severities.get("critical", 0), severities.get("high", 0)
    if not in_scope:
        return ("No account is in scope, so no rule was evaluated.",)
    if not figures["findings"]:
        return (
            f"No rule has open findings: {count(in_scope, 'account')} {'is' if in_scope == 1 else 'are'} in scope.",
        )
    have = "has" if clean == 1 else "have"
    said = [f"Of {count(in_scope, 'account')} in scope, {number(clean)} {have} no open findings."]
    if leavers == 1:
        said.append("One account of a person who has left is still active: act on it first.")
    elif leavers:
        said.append(f"{count(leavers, 'account')} of people who have left are still active: act on these first.")
    elif critical:
        said.append(f"{count(critical, 'finding')} {'is' if critical == 1 else 'are'} critical: act on these first.")
    elif high:
        said.append(
            f"No finding is critical; {number(high)} {'is' if high == 1 else 'are'} high: act on these first."
        )
    else:
        said.append("No finding is critical or high.")
    return tuple(said)


def coverage(unevaluated: Sequence[Row], rules: int) -> tuple[str, ...]:
    """Return how many rules were not evaluated and why, and how many are switched off, in sentences.

    ``unevaluated`` are the rows of ``reports.unevaluated_rules``.
    """
    reasons = Counter(row["reason"] for row in unevaluated if row["outcome"] == "not_evaluated")
    off = sum(1 for row in unevaluated if row["outcome"] == "off")
    missing = reasons.total()
    if not missing and not off:
        return (f"All {number(rules)} rules were evaluated.",)
    said = []
    if missing:
        # the most frequent reason first, and always in the same order, whatever that of the rows is
        ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        why = "; ".join(f"{number(times)} because {reason}" for reason, times in ranked)
        why = f": {why}" if len(reasons) > 1 else f" because {next(iter(reasons))}"
        said.append(f"{number(missing)} of {count(rules, 'rule')} {was(missing)} not evaluated{why}.")
    else:
        said.append(f"Every rule that is switched on was evaluated, {number(rules - off)} of {number(rules)}.")
    if off:
        said.append(f"{count(off, 'rule')} {'is' if off == 1 else 'are'} switched off.")
    return tuple(said)


def was(value: int) -> str:
    """Return ``was`` or ``were`` for a number of things."""
    return "was" if value == 1 else "were"


def tiles(figures: dict[str, int], unevaluated: Sequence[Row]) -> tuple[Tile, ...]:
    """Return the four numbers; without a result of its rule, a number is "not evaluated" and never 0.

    ``unevaluated`` are the rows of ``reports.unevaluated_rules``.
    """
    why = {row["headline"]: row["reason"] for row in unevaluated}
    newly = figures.get("privileged_active_new")
    since = f", {number(newly)} of them new" if newly else ""
    if "leavers_active" in figures:
        leavers = Tile(number(figures["leavers_active"]), "leavers still active")
    else:
        leavers = Tile(NOT_EVALUATED, f"leavers still active: {why.get('leavers_active', 'not known')}")
    return (
        Tile(number(figures["accounts"]), f"accounts, {number(figures['active'])} active"),
        Tile(number(figures["privileged_active"]), f"active privileged accounts{since}"),
        Tile(number(figures["findings"]), f"open findings{found_on(figures, short=True)}"),
        leavers,
    )


def found_on(figures: dict[str, int], *, short: bool = False) -> str:
    """Return on what the open findings are, to follow their number; ``short`` leaves out what is not an account."""
    total, on_accounts = figures["findings"], figures["findings_on_accounts"]
    if not total:
        return ""
    accounts = count(figures["accounts_with_findings"], "account")
    if on_accounts == total:
        return f" on {accounts}"
    if short:
        return f", {number(on_accounts)} on {accounts}"
    return f": {number(on_accounts)} on {accounts}, {number(total - on_accounts)} {OTHER_SUBJECTS}"


def checks_said(gate: Sequence[Row], others: Sequence[Row]) -> str:
    """Return how many completeness checks passed and failed, in a sentence."""
    if not gate:
        return "No check of completeness is on record."
    results = Counter(row["result"] for row in gate)
    passed, failed = results["PASS"], results["FAIL"]
    if passed == len(gate):
        said = "The one gate check passed" if passed == 1 else f"All {number(passed)} gate checks passed"
    else:
        said = f"{number(passed)} of {count(len(gate), 'gate check')} passed"
        said += f", {number(failed)} failed" if failed else ""
    results = Counter(row["result"] for row in others)
    exceptions = [
        words
        for words, times in (
            (f"{number(results['FAIL'])} failed", results["FAIL"]),
            (
                f"{number(results['NOT_AVAILABLE'])} {was(results['NOT_AVAILABLE'])} not available",
                results["NOT_AVAILABLE"],
            ),
        )
        if times
    ]
    if exceptions:
        return f"{said}; of {count(len(others), 'information check')} {' and '.join(exceptions)}."
    return f"{said}; every information check passed." if others else f"{said}."


def identities(figures: dict[str, int], numbers: Sections) -> tuple[Identity, ...]:
    """Return the sums to print: population, status, scope, findings by severity."""
    accounts = (figures["accounts"], "accounts")
    in_scope = (figures["in_scope"], "in scope")
    by_status = (
        (figures["active"], "active"),
        (figures["inactive"], "inactive"),
        (figures["pending"], "pending"),
        (figures["status_unknown"], "of unknown status"),
    )
    on_accounts = figures["findings_on_accounts"]
    affected = count(figures["accounts_with_findings"], "account")
    findings = (figures["findings"], "open finding" if figures["findings"] == 1 else "open findings")
    return (
        Identity(accounts, (in_scope, (figures["excluded"], "out of scope with approval"))),
        Identity(accounts, by_status),
        Identity(
            in_scope,
            (
                (figures["in_scope_with_findings"], "with open findings"),
                (figures["in_scope_without_findings"], "without"),
            ),
        ),
        Identity(
            findings,
            tuple((value, label) for _, label, value in numbers.get("severity", [])),
        ),
        Identity(
            findings,
            ((on_accounts, f"on {affected}"), (figures["findings"] - on_accounts, OTHER_SUBJECTS)),
        ),
    )
