"""Which lists of objects one Sisense gives to the caller, found with one small request for each."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import AccessReviewError
from pipeline.sources.errors import RefusedError
from pipeline.sources.exchange import Request
from pipeline.sources.sisense.dashboards import DASHBOARDS, FOLDERS
from pipeline.sources.sisense.models import LIVE, SERVERS
from pipeline.sources.sisense.posture import LOCKOUT, REPORTS, SEATS, SSO, TENANTS
from pipeline.sources.sisense.rest import SisenseApi

__all__ = ["probe_objects"]

_FEW: Mapping[str, str | int] = {"skip": 0, "limit": 1}
#: The first request that is answered decides. The row rules are those of single models, so they are not probed.
_PROBES: Mapping[str, tuple[tuple[str, Mapping[str, str | int]], ...]] = {
    "dashboards": ((DASHBOARDS, _FEW),),
    "folders": ((FOLDERS, _FEW),),
    "data models": ((SERVERS, {}), (LIVE, {})),
    "seats": ((SEATS, {}),),
    "sign-on settings": ((SSO, {}), (LOCKOUT, {})),
    "mailed reports": ((REPORTS, {"page": 1, "limit": 1}),),
    "tenants": ((TENANTS, {}),),
}
_TOO_FEW_RIGHTS = frozenset({401, 403})


async def probe_objects(api: SisenseApi) -> tuple[list[str], dict[str, str]]:
    """Return the names of the lists that can be read, and why each of the others cannot. No answer is kept."""
    readable: list[str] = []
    lost: dict[str, str] = {}
    for name, requests in _PROBES.items():
        reason = ""
        for path, query in requests:
            request = Request(path, query, is_private=True)
            try:
                await api.client.fetch(request, lambda _answer: None, authority=api.session, attempts=1)
            except RefusedError as error:
                why = "refused" if error.status in _TOO_FEW_RIGHTS else "not found"
                reason = reason or f"{why}: {error.status}"
            except AccessReviewError:
                reason = reason or "no usable answer"
            else:
                readable.append(name)
                break
        else:
            lost[name] = reason
    return readable, lost
