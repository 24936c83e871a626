"""Peculiarities of servers that concern dashboards, models and settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import cycle
from typing import Any

from starlette.responses import Response

from pipeline.simulator.exchange import Answer, Call, Proceed, as_it_is, error, json_response
from pipeline.simulator.objects import Objects, SimulatedModel
from pipeline.simulator.objects_api import is_object_path
from pipeline.simulator.store import Store

__all__ = [
    "admin_access_needed",
    "capped_objects",
    "copies_always",
    "dangling_parties",
    "live_only",
    "models_fail_midway",
    "no_objects",
    "no_shares",
    "objects_refused",
    "odd_titles",
    "owners_with_rule",
    "refused",
    "strict_objects",
    "windows_servers",
]

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
        if call.path.startswith(_SHARES) and call.query.get("adminAccess") != "true":
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
