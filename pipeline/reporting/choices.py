"""The decisions that a review offers, and the columns in which a reviewer answers."""

from __future__ import annotations

__all__ = ["ANSWERS", "DECISIONS", "LONGEST"]

#: The decisions that a packet and the page accept.
DECISIONS = ("keep", "remove", "reduce", "defer", "exception")
#: Columns that the reviewer fills in.
ANSWERS = ("decision", "reason", "target_role", "defer_until", "approver", "expires_on")
#: How many days after the opening of a campaign the date of a decision may be. A deferred decision is made with the
#: next quarterly review at the latest; an exception is reviewed once a year.
LONGEST = {"defer_until": 90, "expires_on": 365}
