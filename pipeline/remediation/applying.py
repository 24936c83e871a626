"""Application of an approved plan, one account at a time: read, write to the journal, send once, read back.

The account as it is read after the change decides the result, never the answer to the change. An interrupted run
resumes from the journal: a change that was announced there is read first, and sent only if it was not made.
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
from pipeline.remediation.waiting import is_refused, read_back, read_until
from pipeline.settings import Credentials, SourceSettings
from pipeline.sources import event_loop
from pipeline.sources.accounts import AccountState, Writer
from pipeline.sources.errors import RefusedError, UnclearError
from pipeline.sources.retries import Sleep
from pipeline.sources.sisense.writing import connected
from pipeline.warehouse.policy import PolicyFiles

__all__ = ["MOST_FAILURES", "ApplyingJob", "Operator", "apply", "require_approval", "require_fresh"]

#: Failures in a row after which the remaining changes are not tried.
MOST_FAILURES = 3
#: Seconds between two accounts.
_PAUSE = 0.1
#: What has changed since the plan, by field.
_CHANGED = {
    "userName": "its user name has changed",
    "active": "it has been activated or deactivated",
    "roleId": "its role has changed",
    "groups": "its groups have changed",
    "lastLogin": "it has logged in",
    "lastActivity": "it has been active",
}
#: Statuses with which a server refuses a value.
_VALUE_STATUSES = frozenset({400, 404, 422})
#: What a refused value may mean and what to do, by field.
_VALUE_REFUSED = {
    "active": "; this Sisense does not take 'active' over the API: deactivate the account in Admin > Users, or "
    "through the identity provider, then run 'access-review remediate verify'",
}


@dataclass(frozen=True, slots=True)
class Operator:
    """The person who applies a plan. ``is_single``: they may have approved it too."""

    by: str
    email: str
    is_single: bool


@dataclass(frozen=True, slots=True)
class ApplyingJob:
    """A plan with what it takes to apply it: the operator, the sources by name, and the policy that ranks roles."""

    plan: Plan
    operator: Operator
    sources: Mapping[str, tuple[SourceSettings, Credentials]]
    policy: PolicyFiles


def require_approval(plan: Plan, operator: Operator) -> Approval:
    """Return the approval of the plan in its current form.

    Raises:
        GateError: the plan is not approved, or the operator approved it and is not allowed to apply it too.
    """
    approval = plan.approval
    if approval is None:
        changed = ": it was changed after its approval" if plan.approvals else ""
        raise GateError(
            f"the plan is not approved{changed}", where="plan", hint="run 'access-review remediate approve' first"
        )
    if approval.email.strip().lower() == operator.email.strip().lower() and not operator.is_single:
        raise GateError(
            "the person who approved the plan may not apply it",
            where="--email",
            hint="let another person apply it, or add --single-operator, which is recorded",
        )
    return approval


def require_fresh(plan: Plan, now: datetime) -> None:
    """Refuse a plan whose extract, or whose own creation, is older than the plan allows.

    Raises:
        GateError: the plan is too old, or does not state its maximum age.
    """
    try:
        allowed = float(plan.basis["selection"]["max_age_hours"])
        rests_on = datetime.fromisoformat(plan.basis.get("extracted_at") or plan.basis["created_at"])
        hours = (now - rests_on).total_seconds() / 3600
    except (KeyError, TypeError, ValueError) as error:
        raise GateError(
            "the plan does not say by when it must be applied", where="plan", hint="make a new plan"
        ) from error
    if hours > allowed:
        subject = "its extract" if "extracted_at" in plan.basis else "it"
        raise GateError(
            f"the plan is too old to be applied: {subject} is {hours:.1f} hours old, the limit is {allowed:g}",
            where=f"plan {plan.plan_id[:12]}",
            hint="run 'access-review remediate verify' to see what was changed, then make a new plan",
        )


def apply(
    job: ApplyingJob,
    journal: Journal,
    progress: Callable[[int], None],
    *,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Make the changes of a plan; the journal has the result of each. ``progress`` receives the number done.

    Raises:
        SourceError: a source cannot be reached, or refuses the login. Earlier changes are in the journal.
        ConfigurationError: the policy that ranks the roles is wrong.
    """
    event_loop.run(_Application(job, journal, progress, clock, sleep).run())


class _Application:
    def __init__(
        self, job: ApplyingJob, journal: Journal, progress: Callable[[int], None], clock: Clock, sleep: Sleep
    ) -> None:
        self.job = job
        self.journal = journal
        self.progress = progress
        self.clock = clock
        self.sleep = sleep
        self.done = 0
        self.failures = 0
        self.group_ids: frozenset[str] | None = None

    async def run(self) -> None:
        changes = self.job.plan.changes
        open_changes = [change for change in changes if not self._is_applied(change)]
        self.done = len(changes) - len(open_changes)
        for name, same_source in groupby(sorted(open_changes, key=lambda c: c.source), key=lambda c: c.source):
            self.group_ids = None
            async with connected(*self.job.sources[name], clock=self.clock, sleep=self.sleep) as writer:
                guards = Guards(writer, await writer.roles(), self.job.policy)
                await self._source(writer, guards, list(same_source))

    def _is_applied(self, change: Change) -> bool:
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
            if was_sent and found is not None and not _is_made(change, found):
                request = await self._without_lost_groups(writer, change)  # an earlier run may have sent this
            refusal = (
                None if found is None else await guards.refuse(found, removes_privilege=_removes_privilege(change))
            )
        except LoginError:
            raise
        except SourceError as error:
            state = "unclear" if was_sent else "failed"
            return self._note(change, state, previous, f"it cannot be read: {error.message}")
        if found is None:
            return self._note(change, "skipped", previous, "the account no longer exists")
        if _is_made(change, found, request):
            if was_sent:
                return self._note(change, "applied", previous, "found to be made when it was read back")
            return self._note(change, "skipped", None, "nothing to change")
        if refusal is not None:
            return self._note(change, "skipped", previous, refusal.reason)
        if found.has_unreadable_groups and "groups" in request:
            return self._note(change, "skipped", previous, "its groups cannot be read")
        changed = _changed(change, found)
        if changed:
            return self._note(change, "skipped", previous, f"changed since the plan: {', '.join(changed)}")
        return await self._send(writer, change, _current_value(change, found))

    async def _read(self, writer: Writer, change: Change, *, is_outstanding: bool) -> AccountState | None:
        """Read the account; a change that was sent before gets time to show."""

        async def read() -> AccountState | None:
            return await writer.account(change.account_id)

        def is_done(found: AccountState | None) -> bool:
            return not is_outstanding or found is None or _is_made(change, found)

        return await read_until(read, is_done, self.sleep)

    async def _send(self, writer: Writer, change: Change, previous: Mapping[str, Any]) -> str:
        request, dropped = change.request, ""
        answer_error = await self._try(writer, change, request, previous, None)
        if isinstance(answer_error, RefusedError) and answer_error.status in _VALUE_STATUSES and "groups" in request:
            # The account still lists a group that no longer exists, and the server refuses to take it back.
            request = await self._without_lost_groups(writer, change)
            lost = sorted(set(change.request["groups"]) - set(request["groups"]))
            if lost:
                dropped = f"sent without {', '.join(lost)}, which no longer exists"
                answer_error = await self._try(writer, change, request, previous, dropped)

        async def read() -> AccountState | None:
            return await writer.account(change.account_id)

        def is_made(found: AccountState | None) -> bool:
            return found is not None and _is_made(change, found, request)

        try:
            found = await read_back(read, is_made, answer_error, self.sleep)
        except SourceError as error:
            detail = _joined(dropped, f"it cannot be read back: {error.message}")
            return self._note(change, "unclear", previous, detail)
        if is_made(found):
            detail = _joined(dropped, f"made, although {answer_error.message}" if answer_error else "")
            return self._note(change, "applied", previous, detail)
        if answer_error is None:
            detail = _joined(dropped, "the server accepted it, but it does not show yet")
            return self._note(change, "unclear", previous, detail)
        reason = answer_error.message
        if isinstance(answer_error, RefusedError) and answer_error.status in _VALUE_STATUSES:
            reason += _VALUE_REFUSED.get(FIELDS[change.action], "")
        state = "failed" if is_refused(answer_error) else "unclear"
        return self._note(change, state, previous, _joined(dropped, reason))

    async def _try(
        self,
        writer: Writer,
        change: Change,
        request: Mapping[str, Any],
        previous: Mapping[str, Any],
        detail: str | None,
    ) -> SourceError | None:
        """Announce a request in the journal and send it once; return its error, which proves nothing."""
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
        """Return the request without groups that no longer exist; unchanged if the groups cannot be listed."""
        if "groups" not in change.request:
            return change.request
        if self.group_ids is None:
            try:
                self.group_ids = frozenset(str(group["_id"]) for group in await writer.groups())
            except SourceError:
                return change.request
        if not self.group_ids:  # an empty list does not prove that the groups are lost
            return change.request
        return {"groups": [group for group in change.request["groups"] if group in self.group_ids]}

    def _note(self, change: Change, state: str, previous: Mapping[str, Any] | None, detail: str | None) -> str:
        operator = self.job.operator
        at: datetime = self.clock()
        self.journal.write(
            change.change_id,
            JournalEntry(state, at.isoformat(), operator.by, operator.email, operator.is_single, previous, detail),
        )
        return state


def _removes_privilege(change: Change) -> bool:
    """Return whether a change lowers the role of an account or deactivates it."""
    return FIELDS[change.action] == "roleId" or change.request.get("active") is False


def _current_value(change: Change, found: AccountState) -> dict[str, Any]:
    """Return the field that the change sets, with its current value."""
    field = FIELDS[change.action]
    return {field: found.fields[field]}


def _joined(*parts: str) -> str | None:
    return "; ".join(filter(None, parts)) or None


def _is_made(change: Change, found: AccountState, request: Mapping[str, Any] | None = None) -> bool:
    """Return whether the account has the value of the change, or of the request that was sent for it."""
    field = FIELDS[change.action]
    wanted = (request or change.request)[field]
    return bool(found.fields[field] == (sorted(wanted) if field == "groups" else wanted))


def _changed(change: Change, found: AccountState) -> list[str]:
    """Return what has changed since the plan, in words."""
    now = found.fields
    is_undoing = change.action in {"activate", "restore_role", "restore_groups"}
    return [
        words
        for field, words in _CHANGED.items()
        # An account whose change is undone may have been used since, unless it was deactivated.
        if not (is_undoing and field in {"lastLogin", "lastActivity"})
        and now[field] != (sorted(change.expected[field]) if field == "groups" else change.expected[field])
    ]
