"""The endpoints of dashboards, models, row rules, folders, seats, settings and mailed reports. All only read.

Their traps are those of real servers:

- Only a dashboard's own shares tell whether it is public and who was invited; the list of all dashboards does not.
- Without ``dashboardType=owner`` the list has a row for each recipient of a dashboard.
- Each part of a path is decoded alone, so that a title with a slash or a percent sign has to be encoded.
- Servers are named in another case than in the dashboards' data sources, and match in any case.
- The settings of single sign-on hold secrets, and two settings that nobody should read hold tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote

from starlette.responses import Response

from pipeline.simulator import objects_posture as posture
from pipeline.simulator.exchange import Call, error, json_response
from pipeline.simulator.objects import SETTINGS_SECRET, SimulatedModel
from pipeline.simulator.organisation import DISPLAY_NAMES
from pipeline.simulator.paging import DEFAULT_LIMIT, number, only_fields, page
from pipeline.simulator.store import Invalid, Record, Store

__all__ = ["handler", "is_object_path"]

_ADMINISTRATORS = frozenset({"super", "admin", "tenantAdmin"})
_DATA_ADMINISTRATORS = _ADMINISTRATORS | {"dataAdmin"}
_ALL = frozenset(DISPLAY_NAMES)
_SORTABLE = {"oid", "title", "owner", "created", "lastUpdated"}
_Answers = Callable[[Store, Call], Response]


def handler(store: Store, call: Call) -> Callable[[], Response] | None:
    """Return what answers a call about objects, or None if it is about something else."""
    if call.method != "GET":
        return None
    for pattern, roles, answers in _ROUTES:
        if pattern.fullmatch(call.path):
            return partial(_permitted, roles, answers, store, call)
    return None


def is_object_path(path: str) -> bool:
    """Return whether a path is one of these endpoints."""
    return any(pattern.fullmatch(path) for pattern, _, _ in _ROUTES)


def _permitted(roles: frozenset[str], answers: _Answers, store: Store, call: Call) -> Response:
    role = store.roles.get(store.by_id[store.caller_id].get("roleId") or "", {})
    names = {display: name for name, display in DISPLAY_NAMES.items()}
    if roles is not _ALL and names.get(role.get("name", ""), role.get("name")) not in roles:
        return error(403, 105, "Insufficient permissions")
    return answers(store, call)


def _parts(call: Call, count: int) -> list[str]:
    """Return the last parts of the path as they were sent, each decoded alone."""
    return [unquote(part) for part in call.raw_path.partition("?")[0].split("/")[-count:]]


def _is_true(call: Call, key: str) -> bool:
    return call.query.get(key, "").lower() == "true"


# dashboards and folders --------------------------------------------------------------------------------------


def _all_dashboards(store: Store, call: Call) -> Response:
    kind = call.query.get("dashboardType")
    if kind not in {None, "owner", "user", "proxy"}:
        raise Invalid("dashboardType must be owner, user or proxy")
    objects = store.objects
    if kind == "owner":
        rows = objects.dashboard_records
    else:
        rows = [row for row in objects.dashboard_copies if kind in {None, row["instanceType"]}]
    rows = page(_in_order(rows, call.query), call.query)
    if _is_true(call, "ownerInfo"):
        rows = [{**row, "owner": store.by_id.get(row["owner"], {"_id": row["owner"]})} for row in rows]
    return json_response(only_fields(rows, call.query, "oid"))


def _in_order(rows: list[Record], query: dict[str, str]) -> list[Record]:
    sort = query.get("sort", "")
    if not sort:
        return rows
    field = sort.removeprefix("-")
    if field not in _SORTABLE:
        raise Invalid(f"cannot sort by {field}")
    return sorted(rows, key=lambda row: str(row[field]), reverse=sort.startswith("-"))


def _dashboard_shares(store: Store, call: Call) -> Response:
    return json_response(store.objects.dashboards_by_id[_parts(call, 2)[0]].all_shares)


def _shares_of_dashboard(store: Store, call: Call) -> Response:
    dashboard = store.objects.dashboards_by_id[_parts(call, 1)[0]]
    return json_response(
        {
            "sharesTo": dashboard.all_shares,
            "sharesToNew": [{"email": address} for address in dashboard.invitations],
            "isPublic": dashboard.is_public,
            "allowChangeSubscription": False,
            "subscription": {"active": False, "type": "onBuild"},
        }
    )


def _folders(store: Store, call: Call) -> Response:
    return json_response(only_fields(page(store.objects.folders, call.query), call.query, "oid"))


# models and row rules ----------------------------------------------------------------------------------------


def _servers(store: Store, _: Call) -> Response:
    names = dict.fromkeys(model.server for model in store.objects.models if not model.is_live)
    return json_response([{"server": name, "address": name, "status": "running"} for name in names])


def _models_of(store: Store, server: str) -> list[SimulatedModel]:
    """Return the extract models of a server.

    Raises:
        KeyError: no such server.
    """
    found = [model for model in store.objects.models if model.server and model.server.lower() == server.lower()]
    if not found:
        raise KeyError(server)
    return found


def _extract_models(store: Store, call: Call) -> Response:
    models = _models_of(store, _parts(call, 1)[0])
    rows = page([_cube(store, model) for model in models], call.query, skip_key="offset", limit_key="count")
    if not _is_true(call, "withPermissions"):
        rows = [{key: value for key, value in row.items() if key != "shares"} for row in rows]
    return json_response(rows)


def _cube(store: Store, model: SimulatedModel) -> Record:
    everyone_id = store.objects.everyone_id
    cube: Record = {
        "_id": model.model_id,
        "title": model.title,
        "shares": [{**share, "belongsToEveryoneGroup": share["partyId"] == everyone_id} for share in model.shares],
        "createdUtc": model.created,
        "lastBuiltUtc": model.last_updated,
        "sizeInMb": model.size_mb,
    }
    return {**cube, "dbFarmDirectory": model.path} if model.path else cube


def _extract_model(store: Store, call: Call) -> SimulatedModel:
    server, title, _ = _parts(call, 3)
    for model in _models_of(store, server):
        if model.title == title:
            return model
    raise KeyError(title)


def _permissions(store: Store, call: Call) -> Response:
    model = _extract_model(store, call)
    shares = [
        {"party": share["partyId"], "type": share["type"], "permission": share["permission"]}
        for share in model.shares
    ]
    return json_response({"server": model.server, "title": model.title, "shares": shares})


def _extract_rules(store: Store, call: Call) -> Response:
    return json_response(_rules(_extract_model(store, call)))


def _all_models(store: Store, _: Call) -> Response:
    rows: list[Record] = [
        {
            "oid": model.model_id,
            "title": model.title,
            "type": "live" if model.is_live else "extract",
            "server": model.server or "live",
            "lastUpdated": model.last_updated,
        }
        for model in store.objects.models
    ]
    return json_response(rows)


def _live_models(store: Store, _: Call) -> Response:
    rows: list[Record] = [
        {
            "oid": model.model_id,
            "title": model.title,
            "type": "live",
            "creator": model.creator,
            "lastUpdated": model.last_updated,
            "shares": list(model.shares),
        }
        for model in store.objects.models
        if model.is_live
    ]
    return json_response(rows)


def _live_rules(store: Store, call: Call) -> Response:
    title = _parts(call, 2)[0]
    for model in store.objects.models:
        if model.is_live and model.title == title:
            return json_response(_rules(model))
    raise KeyError(title)


def _rules(model: SimulatedModel) -> list[Record]:
    place: Record = {"live": model.is_live, "fullname": model.fullname}
    if not model.is_live:
        place |= {"server": model.server, "elasticube": model.title}
    return [{**rule, **place} for rule in model.rules]


# seats, settings, tenants, reports -----------------------------------------------------------------------------


def _seats(store: Store, _: Call) -> Response:
    return json_response(posture.seats(store.users, store.roles, store.population))


def _sign_on(store: Store, _: Call) -> Response:
    return json_response(store.objects.sso)


def _lockout(store: Store, _: Call) -> Response:
    return json_response(store.objects.lockout)


def _tokens(_store: Store, _: Call) -> Response:
    return json_response({"token": f"{SETTINGS_SECRET}-token", "apiKey": f"{SETTINGS_SECRET}-api"})


def _tenants(store: Store, _: Call) -> Response:
    return json_response(list(store.objects.tenants))


def _reports(store: Store, call: Call) -> Response:
    limit, wanted = number(call.query, "limit", DEFAULT_LIMIT), number(call.query, "page", 1)
    if not limit or not wanted:
        raise Invalid("page and limit begin with 1")
    reports = store.objects.reports
    rows = reports[(wanted - 1) * limit : wanted * limit]
    pagination = {"page": wanted, "limit": limit, "isLastPage": wanted * limit >= len(reports)}
    return json_response({"data": [_shown(row, has_addresses=False) for row in rows], "pagination": pagination})


def _report(store: Store, call: Call) -> Response:
    report_id = _parts(call, 1)[0]
    for row in store.objects.reports:
        if row["_id"] == report_id:
            return json_response(_shown(row, has_addresses=_is_true(call, "recipientsInfo")))
    raise KeyError(report_id)


def _shown(row: Record, *, has_addresses: bool) -> Record:
    """Return a report, without the addresses of its recipients unless they were asked for."""
    if has_addresses:
        return row
    recipients: list[Any] = [
        {key: value for key, value in each.items() if key != "email"} for each in row["recipients"]
    ]
    return {**row, "recipients": recipients}


_ROUTES: list[tuple[re.Pattern[str], frozenset[str], _Answers]] = [
    (re.compile(path.replace("{id}", "[^/]+").replace("{title}", ".+")), roles, answers)
    for path, roles, answers in (
        ("/api/v1/dashboards/admin", _ADMINISTRATORS, _all_dashboards),
        ("/api/v1/dashboards/{id}/shares", _ADMINISTRATORS, _dashboard_shares),
        ("/api/shares/dashboard/{id}", _ADMINISTRATORS, _shares_of_dashboard),
        ("/api/v1/folders", _ALL, _folders),
        ("/api/v1/elasticubes/getElasticubes", _DATA_ADMINISTRATORS, _all_models),
        ("/api/v1/elasticubes/live", _DATA_ADMINISTRATORS, _live_models),
        ("/api/v1/elasticubes/live/{title}/datasecurity", _DATA_ADMINISTRATORS, _live_rules),
        ("/api/elasticubes/servers", _DATA_ADMINISTRATORS, _servers),
        ("/api/elasticubes/servers/{id}", _DATA_ADMINISTRATORS, _extract_models),
        ("/api/elasticubes/{title}/permissions", _DATA_ADMINISTRATORS, _permissions),
        ("/api/elasticubes/{title}/datasecurity", _DATA_ADMINISTRATORS, _extract_rules),
        ("/api/v1/account/get_license_info", _ADMINISTRATORS, _seats),
        ("/api/v1/settings/sso", _ADMINISTRATORS, _sign_on),
        ("/api/v1/settings/login_lockout", _ADMINISTRATORS, _lockout),
        ("/api/v1/settings/(?:security|api)", _ADMINISTRATORS, _tokens),
        ("/api/v1/tenants", _ADMINISTRATORS, _tenants),
        ("/api/v1/report_manager/reports", _ADMINISTRATORS, _reports),
        ("/api/v1/report_manager/reports/{id}", _ADMINISTRATORS, _report),
    )
]
