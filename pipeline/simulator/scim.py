"""The SCIM 2.0 endpoint of the simulated Sisense: the same accounts and groups, as a provider meets them.

scim2-server implements the protocol (paging, filters, PATCH, errors, discovery). This module maps its resources to
Sisense. A pushed user becomes an account with the default role, as SCIM has no roles; a group that is
pushed becomes a Sisense group without a role. What Sisense has no field for is kept beside the account.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from typing import Any, cast

from scim2_models import (
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    UnauthorizedException,
    UniquenessException,
)
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.service import ScimService
from scim2_server.storage import ScimStorage, SearchPage
from scim2_server.utils import load_default_resource_types, load_default_schemas
from starlette.responses import Response

from pipeline.simulator.exchange import Call
from pipeline.simulator.store import Conflict, Invalid, Record, Store

__all__ = ["Scim"]

_LARGEST_PAGE = 500
_EMAIL_TYPE = "work"
#: Attributes that Sisense has fields for; others are kept as pushed.
_GIVEN_BY_SISENSE = ("id", "meta", "userName", "groups", "password")


class Scim:
    """The endpoint over one store. ``token`` is its bearer token."""

    def __init__(self, store: Store, token: str) -> None:
        self._token = token
        config = ServiceProviderConfig.model_validate(
            {
                "patch": {"supported": True},
                "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
                "filter": {"supported": True, "maxResults": _LARGEST_PAGE},
                "changePassword": {"supported": False},
                "sort": {"supported": True},
                "etag": {"supported": True},
                "authenticationSchemes": [
                    {"type": "oauthbearertoken", "name": "Bearer token", "description": "Made under Admin > Security"}
                ],
            }
        )
        self._provider = ScimProvider.from_discovery(
            load_default_schemas().values(), load_default_resource_types().values(), config=config
        )
        self._service = ScimService(self._provider)
        self._handler = ScimHandler(self._service, _Storage(store, self._provider))

    def answer(self, call: Call) -> Response:
        """Answer one request below the endpoint's base."""
        base, _, path = call.path.partition("/scim/v2")
        base_url = f"{call.origin}{base}/scim/v2"
        request = ScimRequest(call.method, base_url, path, call.query, call.headers, call.body)
        try:
            if call.token is None or not hmac.compare_digest(call.token.encode(), self._token.encode()):
                raise UnauthorizedException(detail="The SCIM token is missing or wrong")
            answered = self._handler.handle(request)
        except Exception as problem:  # anything but a SCIM error becomes a 500
            answered = self._service.error_response(problem)
        body = b"" if answered.body is None else json.dumps(answered.body, ensure_ascii=False).encode()
        return Response(body, answered.status, headers=dict(answered.headers))


class _Storage(ScimStorage):
    """The store's accounts and groups as SCIM resources."""

    def __init__(self, store: Store, provider: ScimProvider) -> None:
        self._store = store
        self._provider = provider
        #: Pushed attributes that Sisense has no field for, by the id of the account or group.
        self._kept: dict[str, Record] = {}

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,  # noqa: ARG002
    ) -> Resource[Any]:
        try:
            return self._resource(resource_type, self._record(resource_type, resource_id))
        except KeyError:
            raise NotFoundException(detail=f"There is no {resource_type.name} {resource_id}") from None

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,  # noqa: ARG002
    ) -> SearchPage:
        records = [(kind, record) for kind in resource_types for record in self._records(kind)]
        start = search_request.start_index_0 or 0
        stop = None if search_request.count is None else start + search_request.count
        if search_request.filter is None and search_request.sort_by is None:
            return SearchPage(len(records), [self._resource(*found) for found in records[start:stop]])
        resources = [self._resource(*found) for found in records]
        if search_request.filter is not None:
            resources = [resource for resource in resources if search_request.filter.match(resource)]
        if search_request.sort_by is not None:
            is_descending = search_request.sort_order == SearchRequest.SortOrder.descending
            keyed = [(search_request.sort_value(resource), resource) for resource in resources]
            present = sorted(
                (pair for pair in keyed if pair[0] is not None), key=lambda p: p[0], reverse=is_descending
            )
            resources = [resource for _, resource in itertools.chain(present, (p for p in keyed if p[0] is None))]
        return SearchPage(len(resources), resources[start:stop])

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        return self._written(resource_type, None, resource)

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        self._expect(resource_type, str(resource.id), expected_version)
        return self._written(resource_type, str(resource.id), resource)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        self._expect(resource_type, resource_id, expected_version)
        if resource_type.name == "Group":
            self._store.delete_group(resource_id)
        else:
            self._store.delete(resource_id)
        self._kept.pop(resource_id, None)

    # what a resource is in Sisense ------------------------------------------------------------------------

    def _expect(self, resource_type: ResourceType, resource_id: str, version: str | None) -> None:
        found = self.get(resource_type, resource_id)
        if version is not None and (found.meta is None or found.meta.version != version):
            raise PreconditionFailedException

    def _record(self, resource_type: ResourceType, resource_id: str) -> Record:
        if resource_type.name != "Group":
            return self._store.by_id[resource_id]
        if resource_id in self._store.builtin_groups.values():
            raise KeyError(resource_id)
        return self._store.groups[resource_id]

    def _records(self, resource_type: ResourceType) -> Iterator[Record]:
        if resource_type.name != "Group":
            yield from self._store.users
            return
        own = set(self._store.builtin_groups.values())  # Sisense's own groups: no provider pushes them
        yield from (group for group_id, group in self._store.groups.items() if group_id not in own)

    def _written(
        self, resource_type: ResourceType, resource_id: str | None, resource: Resource[Any]
    ) -> Resource[Any]:
        pushed = resource.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            write = self._write_group if resource_type.name == "Group" else self._write_user
            record = write(resource_id, pushed)
        except Conflict as problem:
            raise UniquenessException(detail=str(problem)) from problem
        except Invalid as problem:
            raise InvalidValueException(detail=str(problem)) from problem
        self._kept[record["_id"]] = {key: value for key, value in pushed.items() if key not in _GIVEN_BY_SISENSE}
        return self._resource(resource_type, record)

    def _write_user(self, user_id: str | None, pushed: Record) -> Record:
        name = pushed.get("name") or {}
        user_name = pushed["userName"]
        if any(
            str(user.get("userName") or "").lower() == user_name.lower() and user["_id"] != user_id
            for user in self._store.users
        ):
            raise Conflict("userName is taken")
        fields = {
            "userName": user_name,
            "email": _address(pushed),
            "firstName": name.get("givenName", ""),
            "lastName": name.get("familyName", ""),
            "active": pushed.get("active", True),
        }
        if user_id is None:
            return self._store.create(fields, is_sso=True)
        return self._store.update(user_id, fields)

    def _write_group(self, group_id: str | None, pushed: Record) -> Record:
        members = [str(member.get("value")) for member in pushed.get("members") or ()]
        return self._store.set_group(group_id, pushed["displayName"], members)

    def _resource(self, resource_type: ResourceType, record: Record) -> Resource[Any]:
        is_group = resource_type.name == "Group"
        document = self._group(record) if is_group else self._user(record)
        version = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]
        document |= {
            "schemas": document.get("schemas") or [str(resource_type.schema_)],
            "id": record["_id"],
            "meta": {
                "resourceType": resource_type.name,
                "created": record.get("created"),
                "lastModified": record.get("lastUpdated"),
                "version": f'W/"{version}"',
            },
        }
        model = self._provider.model_for(resource_type)
        assert model is not None  # noqa: S101 - the provider describes both types
        return cast(Resource[Any], model.model_validate(document))

    def _user(self, user: Record) -> Record:
        kept = self._kept.get(user["_id"], {})
        first, last = user.get("firstName"), user.get("lastName")
        name = {**kept.get("name", {}), "givenName": first, "familyName": last}
        name = {key: value for key, value in name.items() if value}
        address = user.get("email")
        emails = kept.get("emails")
        if address != _address({**kept, "userName": user.get("userName")}) or not kept:
            emails = [{"value": address, "type": _EMAIL_TYPE, "primary": True}] if address else None
        document = {
            **kept,
            "userName": user.get("userName") or address or user["_id"],
            # attributes that the provider left out stay left out
            "active": None if kept and "active" not in kept and user.get("active") is True else user.get("active"),
            "name": name or None,
            "emails": emails,
            "groups": [
                {"value": group_id, "$ref": f"Groups/{group_id}", "display": self._store.groups[group_id]["name"]}
                for group_id in user.get("groups") or ()
                if group_id in self._store.groups
            ]
            or None,
        }
        return {key: value for key, value in document.items() if value is not None}

    def _group(self, group: Record) -> Record:
        kept = self._kept.get(group["_id"], {})
        pushed = {member.get("value"): member for member in kept.get("members") or ()}
        members = [
            {"type": "User", **pushed.get(member, {}), "value": member, "$ref": f"Users/{member}"}
            for member in self._store.members[group["_id"]]
            if member in self._store.by_id
        ]
        return {**kept, "displayName": group["name"], "members": members or None}


def _address(pushed: Record) -> str:
    """Return the address of the account: the primary one, else the first, else the user name."""
    emails = pushed.get("emails") or ()
    ordered = sorted(emails, key=lambda email: not email.get("primary"))
    return str(next((email["value"] for email in ordered if email.get("value")), pushed.get("userName") or ""))
