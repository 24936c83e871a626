"""Applies an approved plan: one account at a time, each read, journalled, sent once, and read back.

The account as it is read after the change decides what became of it, never the answer to the change. A run that was
killed goes on from the journal: what was announced there is read first, and sent only if it did not take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from pipeline.clock import Clock, utc_now
from pipeline.errors import GateError, LoginError, SourceError
from pipeline.remediation.guards import Guards
from pipeline.remediation.journal import Journal, JournalEntry
from pipeline.remediation.plan import FIELDS, Approval, Change, Plan
from pipeline.remediation.waiting import read_until
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources.errors import RefusedError, UnclearError
from pipeline.sources.sisense.writing import AccountState, Writer, connected
from pipeline.sources.transport import Sleep
from pipeline.warehouse.policy import PolicyFiles

__all__ = ["MOST_FAILURES", "Operator", "apply", "require_approval", "require_fresh"]

#: Failures in a row after which the rest is left alone.
MOST_FAILURES = 3
#: Seconds between two accounts.
_PAUSE = 0.1
#: Words for what has changed since the plan.
_WORDS = {
    "userName": "its user name has changed",
    "active": "it has been switched on or off",
    "roleId": "its role has changed",
    "groups": "its groups have changed",
    "lastLogin": "it has logged in",
    "lastActivity": "it has been active",
}
#: What a server answers to a value that it does not take.
_VALUE_STATUSES = frozenset({400, 404, 422})
#: What a refused value may mean, and what to do, by the field that it was for.
_VALUE_REFUSED = {
    "active": "; this Sisense does not take 'active' over the API: switch the account off in Admin > Users, or "
    "through the identity provider, then run 'access-review remediate verify'",
}


@dataclass(frozen=True, slots=True)
class Operator:
    """Who applies the plan."""

    by: str
    email: str
    is_single: bool


def require_approval(plan: Plan, operator: Operator) -> Approval:
    """Return the approval of the plan as it is.

    Raises:
        GateError: there is none, or the same person approved and applies it without --single-operator.
    """
    approval = plan.approval
    if approval is None:
        changed = ", and what was approved was another version of it" if plan.approvals else ""
        raise GateError(
            f"the plan is not approved{changed}", where="plan", hint="run 'access-review remediate approve' first"
        )
    if approval.email.strip().lower() == operator.email.strip().lower() and not operator.is_single:
        raise GateError(
            "who approved the plan may not apply it",
            where="--email",
            hint="let somebody else apply it, or give --single-operator, which is recorded",
        )
    return approval


def require_fresh(plan: Plan, now: datetime) -> None:
    """Refuse a plan that rests on something older than the plan itself allows, in hours.

    Raises:
        GateError: what it rests on is too old, or the plan does not say how old that is.
    """
    try:
        allowed = float(plan.basis["selection"]["max_age_hours"])
        rests_on = datetime.fromisoformat(plan.basis.get("extracted_at") or plan.basis["created_at"])
        hours = (now - rests_on).total_seconds() / 3600
    except (KeyError, TypeError, ValueError) as error:
        raise GateError(
            "the plan does not say when it has to be applied by", where="plan", hint="make a new plan"
        ) from error
    if hours > allowed:
        what = "the extract it rests on" if "extracted_at" in plan.basis else "it"
        raise GateError(
            f"the plan is too old to be applied: {what} is {hours:.1f} hours old, and may be {allowed:g}",
            where=f"plan {plan.plan_id[:12]}",
            hint="run 'access-review remediate verify', which says what was done, then make a new plan",
        )


def apply(
    plan: Plan,
    journal: Journal,
    operator: Operator,
    sources: Mapping[str, tuple[SourceSettings, Credentials]],
    policy: PolicyFiles,
    progress: Callable[[int], None],
    *,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Make the plan's changes; what became of each is in the journal. ``progress`` hears how many are done.

    Raises:
        SourceError: a source cannot be reached, or refuses the login. Changes made before are in the journal.
        ConfigurationError: the policy that ranks the roles is wrong.
    """
    asyncio.run(_Application(plan, journal, operator, policy, progress, clock, sleep).run(sources))


class _Application:
    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        operator: Operator,
        policy: PolicyFiles,
        progress: Callable[[int], None],
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self.plan = plan
        self.journal = journal
        self.operator = operator
        self.policy = policy
        self.progress = progress
        self.clock = clock
        self.sleep = sleep
        self.done = 0
        self.failures = 0
        self.group_ids: frozenset[str] | None = None

    async def run(self, sources: Mapping[str, tuple[SourceSettings, Credentials]]) -> None:
        open_changes = [c for c in self.plan.changes if not self._is_over(c)]
        self.done = len(self.plan.changes) - len(open_changes)
        for name, changes in groupby(sorted(open_changes, key=lambda c: c.source), key=lambda c: c.source):
            self.group_ids = None
            async with connected(*sources[name], clock=self.clock, sleep=self.sleep) as writer:
                guards = Guards(writer, await writer.roles(), self.policy)
                await self._source(writer, guards, list(changes))

    def _is_over(self, change: Change) -> bool:
        entry = self.journal.entries.get(change.change_id)
        return entry is not None and entry.state == "applied"

    async def _source(self, writer: Writer, guards: Guards, changes: Sequence[Change]) -> None:
        for change in changes:
            if self.failures >= MOST_FAILURES:
                return
            state = await self._change(writer, guards, change)
            self.failures = self.failures + 1 if state in {"failed", "unclear"} else 0
            self.done += 1
            self.progress(self.done)
            await self.sleep(_PAUSE)

    async def _change(self, writer: Writer, guards: Guards, change: Change) -> str:
        before = self.journal.entries.get(change.change_id)
        was_sent = before is not None and before.previous is not None
        previous = before.previous if before else None
        request = change.request
        try:
            found = await self._read(
                writer, change, is_outstanding=was_sent and before is not None and before.state != "failed"
            )
            if was_sent and found is not None and not _holds(change, found):
                request = await self._without_lost_groups(writer, change)  # as an earlier run may have sent it
            refusal = None if found is None else await guards.refuse(found, takes_power=_takes_power(change))
        except LoginError:
            raise
        except SourceError as error:
            state = "unclear" if was_sent else "failed"
            return self._note(change, state, previous, f"it cannot be read: {error.message}")
        if found is None:
            return self._note(change, "skipped", previous, "the account is no longer there")
        if _holds(change, found, request):
            if was_sent:
                return self._note(change, "applied", previous, "found made when it was read back")
            return self._note(change, "skipped", None, "it is so already")
        if refusal is not None:
            return self._note(change, "skipped", previous, refusal.reason)
        if found.has_unreadable_groups and "groups" in request:
            return self._note(change, "skipped", previous, "its groups cannot be read")
        changed = _changed(change, found)
        if changed:
            return self._note(change, "skipped", previous, f"changed since the plan: {', '.join(changed)}")
        return await self._send(writer, change, _values(change, found))

    async def _read(self, writer: Writer, change: Change, *, is_outstanding: bool) -> AccountState | None:
        """Read the account; one whose change was sent before is given time to show it."""

        async def read() -> AccountState | None:
            return await writer.account(change.account_id)

        def is_over(found: AccountState | None) -> bool:
            return not is_outstanding or found is None or _holds(change, found)

        return await read_until(read, is_over, self.sleep)

    async def _send(self, writer: Writer, change: Change, previous: Mapping[str, Any]) -> str:
        request, dropped = change.request, ""
        trouble = await self._try(writer, change, request, previous, None)
        if isinstance(trouble, RefusedError) and trouble.status in _VALUE_STATUSES and "groups" in request:
            # the account still lists a group that no longer exists, which the server does not take back
            request = await self._without_lost_groups(writer, change)
            lost = sorted(set(change.request["groups"]) - set(request["groups"]))
            if lost:
                dropped = f"sent without {', '.join(lost)}, which names no group any more"
                trouble = await self._try(writer, change, request, previous, dropped)
        is_no = isinstance(trouble, RefusedError) and trouble.status != 302

        async def read() -> AccountState | None:
            return await writer.account(change.account_id)

        def is_over(found: AccountState | None) -> bool:
            return is_no or (found is not None and _holds(change, found, request))

        try:
            found = await read_until(read, is_over, self.sleep)
        except SourceError as error:
            return self._note(change, "unclear", previous, _said(dropped, f"it cannot be read back: {error.message}"))
        if found is not None and _holds(change, found, request):
            return self._note(
                change, "applied", previous, _said(dropped, f"made, though {trouble.message}" if trouble else "")
            )
        if trouble is None:
            said = "the server said yes, and the change does not show yet"
            return self._note(change, "unclear", previous, _said(dropped, said))
        detail = trouble.message
        if isinstance(trouble, RefusedError) and trouble.status in _VALUE_STATUSES:
            detail += _VALUE_REFUSED.get(FIELDS[change.action], "")
        return self._note(change, "failed" if is_no else "unclear", previous, _said(dropped, detail))

    async def _try(
        self,
        writer: Writer,
        change: Change,
        request: Mapping[str, Any],
        previous: Mapping[str, Any],
        detail: str | None,
    ) -> SourceError | None:
        """Journal a request and send it once; return what is wrong with the answer, which proves nothing."""
        self._note(change, "sending", previous, detail)
        try:
            await writer.change(change.account_id, request)
        except LoginError as error:
            self._note(change, "failed", previous, f"nothing was sent: {error.message}")
            raise
        except (RefusedError, UnclearError) as error:
            return error
        return None

    async def _without_lost_groups(self, writer: Writer, change: Change) -> Mapping[str, Any]:
        """Return the request without the groups that no longer exist; as it is where they cannot be listed."""
        if "groups" not in change.request:
            return change.request
        if self.group_ids is None:
            try:
                self.group_ids = frozenset(str(group["_id"]) for group in await writer.groups())
            except SourceError:
                return change.request
        if not self.group_ids:  # a list that shows nothing proves nothing
            return change.request
        return {"groups": [group for group in change.request["groups"] if group in self.group_ids]}

    def _note(self, change: Change, state: str, previous: Mapping[str, Any] | None, detail: str | None) -> str:
        operator = self.operator
        at: datetime = self.clock()
        self.journal.write(
            change.change_id,
            JournalEntry(state, at.isoformat(), operator.by, operator.email, operator.is_single, previous, detail),
        )
        return state


def _takes_power(change: Change) -> bool:
    return FIELDS[change.action] == "roleId" or change.request.get("active") is False


def _values(change: Change, found: AccountState) -> dict[str, Any]:
    """Return what the account has in the field that the change sets."""
    field = FIELDS[change.action]
    return {field: found.fields[field]}


def _said(*parts: str) -> str | None:
    return "; ".join(filter(None, parts)) or None


def _holds(change: Change, found: AccountState, request: Mapping[str, Any] | None = None) -> bool:
    """Tell whether the account is as the change, or the request that was made of it, wants it."""
    field = FIELDS[change.action]
    wanted = (request or change.request)[field]
    return bool(found.fields[field] == (sorted(wanted) if field == "groups" else wanted))


def _changed(change: Change, found: AccountState) -> list[str]:
    """Return in words what is no longer as the plan saw it."""
    now = found.fields
    is_undoing = change.action in {"activate", "restore_role", "restore_groups"}
    return [
        words
        for field, words in _WORDS.items()
        # an account that is set back may have been used meanwhile, unless it was switched off
        if not (is_undoing and field in {"lastLogin", "lastActivity"})
        and now[field] != (sorted(change.expected[field]) if field == "groups" else change.expected[field])
    ]
