"""The decisions that a review offers, and the columns in which a reviewer answers."""

from __future__ import annotations

__all__ = ["ANSWERS", "DECISIONS"]

#: The decisions that a packet and the page accept.
DECISIONS = ("keep", "remove", "reduce", "defer", "exception")
#: Columns that the reviewer fills in.
ANSWERS = ("decision", "reason", "target_role", "defer_until", "approver", "expires_on")
