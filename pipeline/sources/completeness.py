"""Completeness, as only the extract can see it: whether the pages cover a list, and whether its end was reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pipeline.sources.paging import Reading
from pipeline.spool import Observation
from pipeline.wording import counted

__all__ = ["end_proven", "observations", "pages_overlap", "records_whole"]

#: How many records one explanation names.
_MOST_NAMED = 5


def observations(readings: Mapping[str, Reading]) -> list[Observation]:
    """Return the checks of each list that was read: four of the accounts, two of the groups if they were read."""
    users = readings.get("users")
    if users is None:
        return [
            Observation(
                check_id="end_proven",
                description="The list of accounts was read to its end",
                expected="proven",
                observed="not read",
                difference=None,
                result="FAIL",
                explanation="The list of accounts was not read to its end.",
            )
        ]
    found = [
        end_proven("end_proven", "accounts", users),
        pages_overlap("pages_overlap", "accounts", users),
        _pages_readable(users),
        _sweeps_agree(users),
    ]
    if "groups" in readings:
        found.append(end_proven("groups_end_proven", "groups", readings["groups"]))
        found.append(pages_overlap("groups_pages_overlap", "groups", readings["groups"]))
    return found


def records_whole(cut: Sequence[str]) -> Observation:
    """Check that every record was kept whole. ``cut`` names those that were not."""
    named = ", ".join(cut[:_MOST_NAMED]) + (f" and {len(cut) - _MOST_NAMED} more" if cut[_MOST_NAMED:] else "")
    return Observation(
        check_id="records_whole",
        description="Every record could be kept whole",
        expected="0",
        observed=str(len(cut)),
        difference=len(cut),
        result="FAIL" if cut else "PASS",
        explanation=f"Nested too deep to be kept whole: {named}." if cut else "Every record was kept whole.",
    )


def end_proven(check_id: str, things: str, reading: Reading) -> Observation:
    """Check that the pages of a list cover it without a gap, and that its end was reached."""
    sweep = reading.accepted
    doubt = _doubt(things, reading)
    if sweep.is_whole:
        proof = f"The server ignores skip and sends all {sweep.items} {things} at once; {sweep.proof}."
    else:
        proof = (
            f"The pages cover 0 to {sweep.reached} without a gap, no record came twice, and the page at "
            f"{sweep.reached} is empty" + (", in two readings." if reading.agreed else ".")
        )
    return Observation(
        check_id=check_id,
        description=f"The pages cover the list of {things} without a gap, and its end is proven",
        expected=str(reading.after) if reading.after is not None else None,
        observed=str(sweep.reached),
        difference=None if reading.after is None else sweep.reached - reading.after,
        result="FAIL" if doubt else "PASS",
        explanation=doubt or proof,
    )


def _doubt(things: str, reading: Reading) -> str | None:
    """Return the reason why the end of a list is not proven, or None if it is."""
    sweep = reading.accepted
    if sweep.halted:
        return f"Reading the list of {things} was stopped: {sweep.halted}."
    if sweep.unreadable:
        return f"{counted(len(sweep.unreadable), 'page')} of the list of {things} could not be read, so it has gaps."
    if sweep.repeated:
        return (
            f"{sweep.repeated} {things} came twice in one reading of the list, "
            "so the same number of others may be missing."
        )
    if sweep.is_whole and sweep.proof is None:
        return f"The server ignores skip, and nothing proves that the {sweep.items} {things} it sends are all."
    moved = sweep.boundaries().mismatched
    if moved:
        return f"The list of {things} changed between {counted(moved, 'page')} and the next, so some may be missing."
    if sweep.has_gap:
        return f"The pages of the list of {things} leave a gap at {sweep.reached}."
    if not sweep.is_closed:
        return f"There was no empty page at {sweep.reached}, where the list of {things} should end."
    if sweep.boundaries().open and not reading.agreed:
        return f"Adjacent pages of {things} share no record, and no two consecutive readings of the list agreed."
    if reading.after is None and not sweep.is_whole and not reading.agreed:
        return f"The server has no count of {things}, and no two consecutive readings of the list agreed."
    if things == "accounts" and not sweep.items:
        return "The list of accounts is empty, although an account logged in."
    return None


def pages_overlap(check_id: str, things: str, reading: Reading) -> Observation:
    """Check that the last record of each page is the first of the next."""
    seen = reading.accepted.boundaries()
    result: Literal["PASS", "FAIL", "NOT_AVAILABLE"] = "PASS"
    if seen.mismatched:
        result = "FAIL"
        words = f"{seen.matched} of {counted(seen.expected, 'boundary')} matched: the list changed while it was read."
    elif seen.open:
        result = "NOT_AVAILABLE"
        words = (
            f"{seen.open} of {counted(seen.expected, 'boundary')} could not be compared, because a page contains "
            "one record or the record has no id; the list rests on two readings that agree."
        )
    elif reading.accepted.is_whole:
        words = "The list came in one answer, so it has no boundaries between pages."
    else:
        words = (
            f"{seen.matched} of {counted(seen.expected, 'boundary')} matched: no record was skipped between pages."
        )
    return Observation(
        check_id=check_id,
        description=f"The last of the {things} on a page is the first on the next page",
        expected=str(seen.expected),
        observed=str(seen.matched),
        difference=seen.matched - seen.expected,
        result=result,
        explanation=words,
    )


def _pages_readable(reading: Reading) -> Observation:
    pages = reading.accepted.unreadable
    return Observation(
        check_id="pages_readable",
        description="Every page could be read in full",
        expected="0",
        observed=str(len(pages)),
        difference=len(pages),
        result="FAIL" if pages else "PASS",
        explanation=f"Never readable: {'; '.join(pages)}." if pages else "Every page was read in the end.",
    )


def _sweeps_agree(reading: Reading) -> Observation:
    result: Literal["PASS", "FAIL", "NOT_AVAILABLE"]
    if reading.agreed is None and not reading.accepted.is_whole:
        result, words = (
            "NOT_AVAILABLE",
            "One reading was enough: the count did not change and agrees, and no record came twice.",
        )
    elif reading.agreed or reading.agreed is None:
        result, words = "PASS", f"The last two of {reading.sweeps} readings contain the same accounts."
    else:
        result, words = (
            "FAIL",
            f"The last two of {reading.sweeps} readings do not contain the same accounts.",
        )
    if reading.accepted.proof is not None:
        words = "Every answer contained the same accounts."
    return Observation(
        check_id="sweeps_agree",
        description="Two consecutive readings of the list contain the same accounts, if there was a sign of change",
        expected=None,
        observed=str(reading.sweeps),
        difference=None,
        result=result,
        explanation=words,
    )
