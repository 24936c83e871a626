"""Words counts in messages and reports."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Write ``1 account``, ``2,000 accounts``, ``2 entries``; the plural is that of the noun's last word."""
    if number == 1:
        return f"1 {noun}"
    is_y = noun.endswith("y") and noun[-2:-1] not in set("aeiou")
    return f"{number:,} {noun[:-1] + 'ies' if is_y else noun + 's'}"
