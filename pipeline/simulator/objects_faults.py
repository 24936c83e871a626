"""Peculiarities of servers that concern dashboards, models and settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any

from starlette.responses import Response

from pipeline.simulator.exchange import Answer, Call, Proceed, as_it_is, error, json_response
from pipeline.simulator.objects import ROW_VALUE_MARKS, Objects, SimulatedModel
from pipeline.simulator.objects_api import is_object_path
from pipeline.simulator.store import Store

__all__ = ["FAULTS"]

_DASHBOARDS = "/api/v1/dashboards/admin"
_SHARES = "/api/shares/dashboard/"
_STRICT = {
    _DASHBOARDS: {"dashboardType", "skip", "limit", "sort"},
    "/api/v1/folders": {"skip", "limit"},
}
_ODD_TITLES = ("Sales/EMEA", "Margin 100%", "Plan %2F 2026", "  Stock  Levels ", "Why? #1 & more", "Umsatz Größe")
_WINDOWS_SERVERS = ("LocalHost", "BI-CUBES-02")
_WINDOWS_FOLDER = r"C:\ProgramData\Sisense\PrismServer\ElastiCubeData"


def _is_objects(call: Call) -> bool:
    return call.method == "GET" and is_object_path(call.path)


def no_objects(_: Store) -> Answer:
    """Answer 404 for all dashboards, models and settings."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        if _is_objects(call):
            return error(404, 2001, f"Cannot {call.method} {call.path}")
        return await proceed(call)

    return answer


def objects_refused(_: Store) -> Answer:
    """Answer 403 for all dashboards, models and settings."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        return error(403, 105, "Insufficient permissions") if _is_objects(call) else await proceed(call)

    return answer


def refused(*endings: str) -> Callable[[Store], Answer]:
    """Answer 403 for paths with one of these endings."""

    def behaviour(_: Store) -> Answer:
        async def answer(call: Call, proceed: Proceed) -> Response:
            if call.method == "GET" and call.path.endswith(endings):
                return error(403, 105, "Insufficient permissions")
            return await proceed(call)

        return answer

    return behaviour


def no_shares(*, only_with_fields: bool) -> Callable[[Store], Answer]:
    """Leave the shares out of the list of dashboards, always or only if ``fields`` is used."""

    def behaviour(_: Store) -> Answer:
        async def answer(call: Call, proceed: Proceed) -> Response:
            response = await proceed(call)
            if call.path == _DASHBOARDS and response.status_code == 200 and (
                not only_with_fields or "fields" in call.query
            ):  # fmt: skip
                return json_response([{k: v for k, v in row.items() if k != "shares"} for row in _rows(response)])
            return response

        return answer

    return behaviour


def strict_objects(_: Store) -> Answer:
    """Refuse ``fields``, ``adminAccess`` and unknown keys."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        known = set() if call.path.startswith(_SHARES) else _STRICT.get(call.path)
        if known is not None and (unknown := sorted(set(call.query) - known)):
            return error(422, 2003, f"unknown query parameter {unknown[0]}")
        return await proceed(call)

    return answer


def admin_access_needed(_: Store) -> Answer:
    """Refuse a dashboard's shares without ``adminAccess=true``."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.path.startswith(_SHARES) and call.query.get("adminAccess", "").lower() != "true":
            return error(403, 105, "Insufficient permissions")
        return await proceed(call)

    return answer


def copies_always(_: Store) -> Answer:
    """Ignore ``dashboardType``: the list has every recipient's copy."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.path == _DASHBOARDS:
            call.query.pop("dashboardType", None)
        return await proceed(call)

    return answer


def owners_with_rule(_: Store) -> Answer:
    """Give the owner's own share the rule ``edit``."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        response = await proceed(call)
        if response.status_code != 200 or not (call.path == _DASHBOARDS or call.path.startswith(_SHARES)):
            return response
        document = json.loads(bytes(response.body))
        for row in document if isinstance(document, list) else [document]:
            for share in row.get("shares", row.get("sharesTo", [])):
                share.setdefault("rule", "edit")
        return json_response(document)

    return answer


def whole_objects(_: Store) -> Answer:
    """Ignore the keys of paging: each answer is the whole list of dashboards, folders or extract models."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        if _is_objects(call) and "report_manager" not in call.path:
            for key in ("skip", "limit", "offset", "count"):
                call.query.pop(key, None)
        return await proceed(call)

    return answer


def dashboard_drift(store: Store) -> Answer:
    """Delete the first dashboard, in the order of ids, after the first page that is not the whole list."""
    is_done = False

    async def answer(call: Call, proceed: Proceed) -> Response:
        nonlocal is_done
        response = await proceed(call)
        if call.path == _DASHBOARDS and not is_done and 0 < len(_rows(response)) < len(store.objects.dashboards):
            is_done = True
            kept = sorted(store.objects.dashboards, key=lambda dashboard: dashboard.oid)[1:]
            store.objects = replace(store.objects, dashboards=tuple(kept))
        return response

    return answer


def capped_objects(_: Store) -> Answer:
    """Answer no page with more than 20 dashboards, folders or extract models."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        if _is_objects(call):
            for key in ("limit", "count"):
                if call.query.get(key, "").isdigit():
                    call.query[key] = str(min(20, int(call.query[key])))
        return await proceed(call)

    return answer


def models_fail_midway(store: Store) -> Answer:
    """Answer the first half of a server's extract models, and 500 for all that follow."""

    async def answer(call: Call, proceed: Proceed) -> Response:
        if call.method != "GET" or not call.path.startswith("/api/elasticubes/servers/"):
            return await proceed(call)
        half = max(1, sum(1 for model in store.objects.models if not model.is_live) // 2)
        if call.query.get("offset", "0") != "0":
            return error(500, 1, "Internal error")
        count = call.query.get("count", "")
        call.query["offset"], call.query["count"] = "0", str(min(half, int(count) if count.isdigit() else half))
        return await proceed(call)

    return answer


def dangling_parties(store: Store) -> Answer:
    """Let shares, permissions and row rules name accounts and groups that do not exist."""
    objects = store.objects
    number = 0

    def lost() -> list[tuple[str, str]]:
        nonlocal number
        number += 2
        return [(f"dead0002dead0002dead{number + step:04x}", kind) for step, kind in enumerate(("user", "group"))]

    dashboards = [
        replace(
            dashboard,
            shares=(
                *dashboard.shares,
                *({"shareId": party, "type": kind, "rule": "view", "subscribe": False} for party, kind in lost()),
            ),
        )
        if place % 5 == 0
        else dashboard
        for place, dashboard in enumerate(objects.dashboards)
    ]
    models = [
        replace(
            model,
            shares=(
                *model.shares,
                *({"partyId": party, "type": kind, "permission": "r"} for party, kind in lost()),
            ),
            rules=tuple(
                {**rule, "shares": [*rule["shares"], *({"partyId": party, "type": kind} for party, kind in lost())]}
                if place == 0 and {"type": "default"} not in rule["shares"]
                else rule
                for place, rule in enumerate(model.rules)
            ),
        )
        for model in objects.models
    ]
    store.objects = replace(objects, dashboards=tuple(dashboards), models=tuple(models))
    return as_it_is


def odd_row_rules(store: Store) -> Answer:
    """Write the first row rule of each model in a form that is not documented."""
    value = f"{ROW_VALUE_MARKS[0]}-odd"
    forms: Iterator[dict[str, Any]] = cycle(
        (
            {"allMembers": "yes"},
            {"members": None},
            {"exclusionary": 1, "members": [value]},
            {"members": value},
            {"shares": [{"type": "team", "partyId": "team"}]},
        )
    )
    store.objects = _with_models(
        store.objects,
        [
            replace(model, rules=({**model.rules[0], **next(forms)}, *model.rules[1:])) if model.rules else model
            for model in store.objects.models
        ],
    )
    return as_it_is


def odd_titles(store: Store) -> Answer:
    """Put slashes, percent signs and spaces into the titles of models."""
    titles = cycle(_ODD_TITLES)
    used: dict[str, int] = {}

    def renamed(model: SimulatedModel) -> SimulatedModel:
        title = next(titles)
        used[title] = used.get(title, 0) + 1
        return replace(model, title=title if used[title] == 1 else f"{title} {used[title]}")

    store.objects = _with_models(store.objects, map(renamed, store.objects.models))
    return as_it_is


def live_only(store: Store) -> Answer:
    """Turn all models into live ones."""
    store.objects = _with_models(store.objects, (replace(each, server="") for each in store.objects.models))
    return as_it_is


def windows_servers(store: Store) -> Answer:
    """Spread the extract models over two Windows servers, with folders; one title is on both."""
    servers = cycle(_WINDOWS_SERVERS)
    models: list[SimulatedModel] = []
    for each in store.objects.models:
        if each.is_live:
            models.append(each)
            continue
        server = next(servers)
        models.append(replace(each, server=server, path=rf"{_WINDOWS_FOLDER}\a{each.title.replace(' ', 'IAAa')}"))
    extracts = [place for place, model in enumerate(models) if not model.is_live]
    if len(extracts) > 1:
        first, second = extracts[:2]
        models[second] = replace(models[second], title=models[first].title)
    store.objects = _with_models(store.objects, models)
    return as_it_is


def _with_models(objects: Objects, models: Iterable[SimulatedModel]) -> Objects:
    return replace(objects, models=tuple(models))


def _rows(response: Response) -> list[dict[str, Any]]:
    return list(json.loads(bytes(response.body)))


FAULTS: dict[str, tuple[str, Callable[[Store], Answer]]] = {
    "no-objects": ("dashboards, models and settings have no endpoints", no_objects),
    "objects-refused": ("dashboards, models and settings are refused with 403", objects_refused),
    "seats-refused": ("the number of seats is refused with 403", refused("/get_license_info")),
    "row-rules-refused": ("row rules are refused with 403", refused("/datasecurity")),
    "no-shares": ("the list of dashboards has no shares", no_shares(only_with_fields=False)),
    "fields-drop-shares": (
        "the list of dashboards has no shares if fields is used",
        no_shares(only_with_fields=True),
    ),
    "strict-objects": ("fields, adminAccess and unknown keys are refused on dashboards", strict_objects),
    "admin-access": ("the shares of one dashboard need adminAccess=true", admin_access_needed),
    "dashboard-copies": ("the list of dashboards always has every recipient's copy", copies_always),
    "dashboard-drift": ("one dashboard is deleted while pages are read", dashboard_drift),
    "owner-with-rule": ("the owner's own share has the rule edit", owners_with_rule),
    "capped-objects": ("no page of dashboards, folders or models has more than 20 rows", capped_objects),
    "whole-objects": ("the keys of paging are ignored on dashboards, folders and models", whole_objects),
    "models-fail-midway": ("the second half of the extract models answers 500", models_fail_midway),
    "dangling-parties": ("shares and row rules name accounts and groups that do not exist", dangling_parties),
    "odd-row-rules": ("some row rules have a form that is not documented", odd_row_rules),
    "odd-titles": ("titles of models have slashes, percent signs and spaces", odd_titles),
    "live-only": ("all models are live", live_only),
    "windows-servers": ("extract models are on two Windows servers, one title on both", windows_servers),
}
"""The scenarios of dashboards, models and settings by name: a summary, and the behaviour for one server."""
