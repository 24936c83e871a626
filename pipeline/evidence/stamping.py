"""Has sealed folders stamped by the time-stamping authority of the configuration.

A folder is complete without a stamp. When the authority cannot be reached, sealing goes on, and ``evidence stamp``
adds the stamp later; it then proves that the folder existed at that later time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.atomic import replace_file
from pipeline.clock import as_stored
from pipeline.errors import AccessReviewError, ContentError, RenderError
from pipeline.evidence.manifest import MANIFEST, TIME_STAMP, extract_end
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.evidence.time_stamp import TimeStamp

__all__ = ["stamp", "stamp_sealed"]


def stamp(folder: Path, url: str, environment: Mapping[str, str]) -> TimeStamp:
    """Stamp the manifest of a folder, unless a stamp is beside it; return the stamp.

    Raises:
        SourceError: the authority does not answer, or not with a stamp of this manifest and this request.
        ConfigurationError: a proxy or CA variable of the environment cannot be used.
        RenderError: the folder cannot be read, or the stamp not be written beside the manifest.
    """
    from pipeline.evidence.time_stamp import BadStampError, request
    from pipeline.sources.time_stamp_authority import TimeStampAuthority

    path = folder / TIME_STAMP
    try:
        content = (folder / MANIFEST).read_bytes()
        if path.exists():
            return _checked(path.read_bytes(), content)
        authority = TimeStampAuthority(url, environment)
        query = request(content)
        answer = authority.answer(query.as_bytes())
        try:
            found = _checked(answer, content)
            if found.nonce != query.nonce:
                raise BadStampError("answers another request: its nonce is not the one that was sent")
        except BadStampError as error:
            raise ContentError(
                f"the answer of the time-stamping authority {error}",
                where=authority.origin,
                hint="check 'timestamp_url' in [evidence] and the clock of this machine, or ask the authority",
            ) from error
        with replace_file(path) as draft:
            draft.write_bytes(answer)
    except BadStampError as error:
        raise ContentError(
            f"the time stamp beside the manifest {error}", where=str(path), hint="ask the author for the folder again"
        ) from error
    except OSError as error:
        raise RenderError(
            f"the time stamp cannot be written: {error.strerror or error}",
            where=str(error.filename or path),
            hint="correct the permissions of the folder, or work on a copy of it",
        ) from error
    return found


def stamp_sealed(
    folder: Path, settings: Settings, environment: Mapping[str, str], note: Callable[[str], None]
) -> datetime | None:
    """Stamp a folder that has just been sealed, if an authority is configured.

    Return when it was stamped (UTC without a zone), or None. ``note`` receives a warning if the folder could not be
    stamped. Sealing never fails because of it.
    """
    if settings.evidence.timestamp_url is None:
        return None
    try:
        return as_stored(stamp(folder, settings.evidence.timestamp_url, environment).stamped_at)
    except AccessReviewError as error:
        note(f"the folder is not time-stamped: {error}; 'access-review evidence stamp {folder}' adds the stamp later")
        return None


def _checked(answer: bytes, content: bytes) -> TimeStamp:
    """Read a stamp and check what can be checked without the certificate of its authority."""
    from pipeline.evidence.time_stamp import TimeStamp

    found = TimeStamp.read(answer)
    found.require_content(content)
    document: dict[str, Any] = json.loads(content)
    if (ended := extract_end(document)) is not None:
        found.require_after(ended)
    return found
