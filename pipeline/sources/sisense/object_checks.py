"""What was proven of each list of objects, and why something could not be read.

The checks never decide between FULL and PARTIAL for the accounts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.errors import AccessReviewError, ContentError
from pipeline.sources.completeness import end_proven, pages_overlap
from pipeline.sources.errors import RefusedError
from pipeline.sources.paging import Reading
from pipeline.spool import Observation
from pipeline.wording import counted

__all__ = ["ABSENT", "Asked", "ListReport", "parts_read", "reason"]

#: So many refusals without one answer mean that an endpoint is not there, or not for the caller.
_REFUSALS = 6
#: So many failures in a row, of any kind but a refusal, end the requests.
_FAILURES = 4
_MOST_NAMED = 3
#: Statuses of a list that the caller may not see, and of one that the server does not have.
_NOT_FOR_CALLER, ABSENT = frozenset({401, 403}), frozenset({404, 405, 410, 501})
_EXPECTED: dict[str, str] = {
    "read": "The list could be read",
    "end_proven": "The pages cover the list without a gap, and its end is proven",
    "pages_overlap": "The last record on a page is the first on the next page",
    "ids_present": "Every record has an id",
    "complete": "Every part of the list could be read",
}


@dataclass(slots=True)
class ListReport:
    """What was read of one list: ``dashboards``, ``models`` and so on; ``absence`` says why nothing was."""

    name: str
    checks: list[Observation] = field(default_factory=list)
    absence: str | None = None

    @property
    def failures(self) -> str:
        """Return what is wrong with the list, in sentences; empty if nothing is."""
        return " ".join(check.explanation for check in self.checks if check.result == "FAIL")

    def add(
        self,
        check: str,
        result: Literal["PASS", "FAIL", "NOT_AVAILABLE"],
        explanation: str,
        *,
        expected: int | None = None,
        observed: int | None = None,
    ) -> None:
        """Add a check. ``check`` is the end of its id, which begins with the name of the list."""
        self.checks.append(
            Observation(
                check_id=f"{self.name}_{check}",
                description=_EXPECTED.get(check, _EXPECTED["complete"]),
                expected=None if expected is None else str(expected),
                observed=None if observed is None else str(observed),
                difference=None if expected is None or observed is None else observed - expected,
                result=result,
                explanation=explanation,
                is_gate=False,
            )
        )

    def absent(self, explanation: str) -> ListReport:
        """Say that the list is not available, and return the report."""
        self.absence = explanation
        self.add("read", "NOT_AVAILABLE", explanation)
        return self

    def unread(self, failures: Sequence[AccessReviewError | None], explanation: str = "") -> ListReport:
        """Say that nothing was read of the list, and return the report.

        The list is not available if the server gives no such list to the caller: it refused, or answered with
        something else. After an answer that failed, such as a status of 500, there may be one, so it is not complete.
        ``explanation`` is by default the reasons of the failures.
        """
        known = [failure for failure in failures if failure is not None]
        text = explanation or " ".join(dict.fromkeys(map(reason, known))) or "There is no such list."
        if all(isinstance(failure, ContentError) for failure in known):
            return self.absent(text)
        self.add("read", "FAIL", text)
        return self

    def add_reading(self, things: str, reading: Reading, number: str = "") -> None:
        """Add what paging proved. ``number`` distinguishes several paged lists of one report."""
        for check in (
            end_proven(f"{self.name}_end_proven{number}", things, reading),
            pages_overlap(f"{self.name}_pages_overlap{number}", things, reading),
        ):
            self.checks.append(dataclasses.replace(check, is_gate=False))


@dataclass(slots=True)
class Asked:
    """How many single requests of one kind succeeded, and whether it is worth sending more."""

    succeeded: int = 0
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    last_reason: str = ""
    failures: list[AccessReviewError] = field(default_factory=list)
    _in_a_row: int = 0

    @property
    def is_over(self) -> bool:
        """Return whether further requests would only fail, too."""
        return self._in_a_row >= _FAILURES or (not self.succeeded and self.refused >= _REFUSALS)

    @property
    def is_absent(self) -> bool:
        """Return whether the endpoint gave nothing, and refused what was asked."""
        return not self.succeeded and bool(self.refused)

    def succeed(self) -> None:
        """Count an answer."""
        self.succeeded += 1
        self._in_a_row = 0

    def fail(self, name: str, error: AccessReviewError) -> None:
        """Count a failure of the thing with this name."""
        self.failed.append(name)
        self.last_reason = reason(error)
        self.failures.append(error)
        if isinstance(error, RefusedError):
            self.refused += 1
        else:
            self._in_a_row += 1

    @property
    def named(self) -> str:
        """Name some of the things that failed."""
        shown = ", ".join(f"'{name}'" for name in self.failed[:_MOST_NAMED])
        return shown + (f" and {len(self.failed) - _MOST_NAMED} more" if self.failed[_MOST_NAMED:] else "")


def reason(error: AccessReviewError) -> str:
    """Return why a list is missing, as a sentence for the reader of a report."""
    if isinstance(error, RefusedError) and error.status in _NOT_FOR_CALLER:
        return f"The account that reads Sisense may not see this ({error.status})."
    if isinstance(error, RefusedError) and error.status in ABSENT:
        return f"This Sisense does not offer this ({error.status})."
    text = error.message.rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def parts_read(report: ListReport, check: str, things: str, asked: Asked, total: int) -> None:
    """Add the check that the single requests for all ``things`` (a singular noun) were answered."""
    missing = total - asked.succeeded
    if not missing:
        report.add(check, "PASS", f"Read for {counted(total, things)}.", expected=total, observed=asked.succeeded)
        return
    report.add(
        check,
        "FAIL",
        f"Not read for {counted(missing, things)}, such as {asked.named}. {asked.last_reason}",
        expected=total,
        observed=asked.succeeded,
    )
