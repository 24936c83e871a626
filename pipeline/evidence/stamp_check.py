"""Checks the time stamp beside a manifest, as far as the caller trusts an authority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.evidence.manifest import AUTHORITY, TIME_STAMP, extract_end

if TYPE_CHECKING:
    from pipeline.evidence.time_stamp import Authorities, TimeStamp

__all__ = ["StampCheck", "check"]


@dataclass(frozen=True, slots=True)
class StampCheck:
    """What is known of a folder's time stamp.

    ``state`` is ``none``; ``missing`` (there is none, but the manifest names an authority); ``unchecked`` (it is for
    this manifest, and no certificate was given to check it with); ``trusted`` (signed by an authority that the caller
    trusts); or ``bad``, and then ``problem`` says why. ``delay`` is how long after the extract it was made.
    """

    state: Literal["none", "missing", "unchecked", "trusted", "bad"]
    stamp: TimeStamp | None = None
    delay: timedelta | None = None
    problem: str | None = None


def check(
    folder: Path, content: bytes | None, document: Mapping[str, Any], authorities: Authorities | None
) -> StampCheck:
    """Check the time stamp of a folder. ``content`` is its manifest, and ``document`` what it says, both if usable.

    Raises:
        OSError: the stamp cannot be read.
    """
    path = folder / TIME_STAMP
    if path.is_symlink() or not path.is_file():
        wanted = "is missing: the folder is not time-stamped, but --tsa-certificate was given"
        state: Literal["none", "missing"] = "missing" if AUTHORITY in document else "none"
        return StampCheck(state, problem=wanted if authorities else None)
    from pipeline.evidence.time_stamp import BadStampError, TimeStamp  # loads OpenSSL, which few folders need

    stamp = None
    try:
        stamp = TimeStamp.read(path.read_bytes())
        if content is not None:
            stamp.require_content(content)
        ended = extract_end(document)
        if ended is not None:
            stamp.require_after(ended)
        if content is not None and authorities is not None:
            stamp.require_signed(content, authorities)
    except BadStampError as error:
        return StampCheck("bad", stamp, problem=str(error))
    is_trusted = authorities is not None and content is not None
    return StampCheck(
        "trusted" if is_trusted else "unchecked", stamp, stamp.stamped_at - ended if ended is not None else None
    )
