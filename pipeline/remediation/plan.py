"""The plan: a JSON file of changes to accounts, each with its reason, which a person approves.

A plan is identified by the SHA-256 of its canonical form (sorted keys, no spaces) without the approvals. A plan that
was changed in any way must therefore be approved again.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.atomic import replace_file
from pipeline.errors import GateError, UsageError
from pipeline.evidence.signature import SigningKey

__all__ = ["FIELDS", "Approval", "Change", "LeftOut", "Plan", "PlannedAccount", "change_id", "load", "save"]

SCHEMA_VERSION = 1
#: Fields added after the first version of the file; a plan without them keeps its hash.
_LATER_OF_CHANGES = frozenset({"entitlement_name", "target_name", "decided_by", "words"})
_LATER_OF_LEFT_OUT = frozenset({"display_name", "action", "what", "decided_by", "campaign", "item_id"})
#: The field of the account that each action sets.
FIELDS = {
    "deactivate": "active",
    "activate": "active",
    "change_role": "roleId",
    "restore_role": "roleId",
    "remove_from_groups": "groups",
    "restore_groups": "groups",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one account: ``request`` is sent, ``expected`` is the account in the extract.

    ``entitlement_name`` is the role or group that the account loses, ``target_name`` the role that it gets. ``words``
    is the reviewer's reason.
    """

    change_id: str
    source: str
    account_id: str
    user_name: str | None
    action: str
    reason: str
    request: Mapping[str, Any]
    expected: Mapping[str, Any]
    finding_id: str | None = None
    campaign: str | None = None
    item_id: str | None = None
    entitlement_type: str | None = None
    entitlement_id: str | None = None
    entitlement_name: str | None = None
    target_name: str | None = None
    decided_by: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An account, or one decision about it, that was selected but is not carried out."""

    source: str
    account_id: str
    user_name: str | None
    reason: str
    display_name: str | None = None
    action: str | None = None
    what: str | None = None
    decided_by: str | None = None
    campaign: str | None = None
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedAccount:
    """An account that changes, in names. ``groups`` holds names by id, without the built-in groups."""

    source: str
    account_id: str
    display_name: str
    email: str | None
    status: str
    role: str | None
    person_id: str | None
    person: str | None
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Approval:
    """The approval of a plan: the approver and the time (UTC); signed if a key was configured."""

    by: str
    email: str
    at: str
    plan_id: str
    signature: str | None = None

    @property
    def content(self) -> bytes:
        """Return the bytes that the signature covers."""
        return _canonical({"by": self.by, "email": self.email, "at": self.at, "plan_id": self.plan_id})

    def signed(self, key: SigningKey) -> Approval:
        """Return the approval with a signature."""
        return replace(self, signature=base64.b64encode(key.sign(self.content)).decode())

    def is_signed_with(self, key: SigningKey) -> bool:
        """Return whether the signature was made with this key."""
        try:
            return key.public.accepts(base64.b64decode(self.signature or "", validate=True), self.content)
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes, the extract and selection behind them (``basis``), the accounts left out, and the approvals."""

    basis: Mapping[str, Any]
    changes: Sequence[Change]
    left_out: Sequence[LeftOut] = ()
    approvals: Sequence[Approval] = field(default=())
    accounts: Sequence[PlannedAccount] = ()

    @property
    def plan_id(self) -> str:
        """Return the hash of everything but the approvals."""
        document = asdict(self)
        del document["approvals"]
        # Plans of earlier versions, whose hashes are recorded, have no such fields.
        if not self.accounts:
            del document["accounts"]
        for key, later in (("changes", _LATER_OF_CHANGES), ("left_out", _LATER_OF_LEFT_OUT)):
            document[key] = [
                {name: value for name, value in row.items() if value is not None or name not in later}
                for row in document[key]
            ]
        return hashlib.sha256(_canonical(document)).hexdigest()

    @property
    def approval(self) -> Approval | None:
        """Return the last approval of the plan as it is now."""
        plan_id = self.plan_id
        return next((a for a in reversed(self.approvals) if a.plan_id == plan_id), None)


def load(path: Path) -> Plan:
    """Read a plan.

    Raises:
        UsageError: the file cannot be read, or is not a plan.
        GateError: two changes have the same id.
    """
    try:
        document = json.loads(path.read_bytes())
        if document["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {document['schema_version']}")
        plan = Plan(
            document["basis"],
            tuple(Change(**row) for row in document["changes"]),
            tuple(LeftOut(**row) for row in document["left_out"]),
            tuple(Approval(**row) for row in document["approvals"]),
            tuple(PlannedAccount(**row) for row in document.get("accounts", ())),
        )
        for change in plan.changes:
            if set(change.request) != {FIELDS[change.action]}:
                raise ValueError(f"change {change.change_id} does not set the field of its action")
    except OSError as error:
        raise UsageError(
            f"the plan cannot be read: {error.strerror}",
            where=str(path),
            hint="make one with 'access-review remediate plan'",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"this is not a remediation plan: {error}",
            where=str(path),
            hint="make a new one with 'access-review remediate plan'",
        ) from error
    if len({change.change_id for change in plan.changes}) != len(plan.changes):
        raise GateError("two changes have the same id", where=str(path), hint="make a new plan")
    return plan


def save(plan: Plan, path: Path) -> None:
    """Write the plan under another name and rename it, so that there is never half a plan.

    Raises:
        UsageError: it cannot be written there.
    """
    document = {"schema_version": SCHEMA_VERSION, "plan_id": plan.plan_id, **asdict(plan)}
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    try:
        with replace_file(path, mode=0o600) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the plan cannot be written: {error.strerror}", where=str(path), hint="name another file"
        ) from error


def change_id(*parts: str) -> str:
    """Return the id of a change: a hash of what identifies it."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _canonical(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
