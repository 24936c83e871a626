"""Limits attempts to guess a secret or an id, and how much of refused requests is logged."""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict
from datetime import datetime, timedelta

__all__ = ["AttemptLimits", "address_key"]

#: Attempts that one network address or one visitor has within a window: enough for a link that was cut off.
PER_KEY = 20
#: Attempts of all addresses together within a window.
OVERALL = 1_000
WINDOW = timedelta(minutes=10)
#: Addresses that are remembered. Beyond that the one that was quiet for longest is forgotten; the limit of all
#: addresses together still holds.
REMEMBERED = 10_000
#: The machines of one IPv6 subscriber share this prefix, so that one of them does not count as many addresses.
_IPV6_PREFIX = 64


class AttemptLimits:
    """Counts attempts in windows of time. Safe to call from several threads.

    A window starts with the first attempt. The counts are in memory and end with the process, which no attacker can
    restart.
    """

    def __init__(
        self,
        *,
        per_key: int = PER_KEY,
        overall: int = OVERALL,
        window: timedelta = WINDOW,
        remembered: int = REMEMBERED,
    ) -> None:
        self._per_key, self._overall, self._window, self._remembered = per_key, overall, window, remembered
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._all: tuple[datetime, int] | None = None

    def renewed(self) -> AttemptLimits:
        """Return the same limits, without what was counted."""
        return AttemptLimits(
            per_key=self._per_key, overall=self._overall, window=self._window, remembered=self._remembered
        )

    def record(self, key: str, now: datetime) -> None:
        """Count one attempt of a network address or visitor."""
        with self._lock:
            self._counts[key] = self._counted(self._counts.pop(key, None), now)
            self._all = self._counted(self._all, now)
            while len(self._counts) > self._remembered:
                self._counts.popitem(last=False)

    def seconds_to_wait(self, key: str, now: datetime, *, is_known: bool = False) -> int:
        """Return after how many seconds the next attempt is allowed; 0 for now.

        ``is_known`` says that the visitor is signed in: attempts of others do not count then.
        """
        with self._lock:
            own = self._wait(self._counts.get(key), self._per_key, now)
            return own if is_known else max(own, self._wait(self._all, self._overall, now))

    @property
    def remembered(self) -> int:
        """Return how many addresses and visitors are remembered."""
        return len(self._counts)

    def _counted(self, entry: tuple[datetime, int] | None, now: datetime) -> tuple[datetime, int]:
        if entry is None or now >= entry[0] + self._window:
            return now, 1
        return entry[0], entry[1] + 1

    def _wait(self, entry: tuple[datetime, int] | None, most: int, now: datetime) -> int:
        if entry is None or entry[1] < most:
            return 0
        return max(0, math.ceil((entry[0] + self._window - now).total_seconds()))


def address_key(address: str) -> str:
    """Return what attempts of a network address are counted by: itself, or the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
