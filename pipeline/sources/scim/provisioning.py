"""Changes to accounts through SCIM, and by REST what SCIM does not have: an account's role and groups.

A :class:`Provisioner` reads back by REST, so that the same guards protect changes of both kinds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from pipeline.clock import Clock, utc_now
from pipeline.errors import ContentError
from pipeline.settings import Credentials, Secret, SourceSettings
from pipeline.sources.accounts import AccountState, Witness, Writer
from pipeline.sources.errors import RefusedError, UnclearError
from pipeline.sources.retries import Sleep
from pipeline.sources.scim.endpoint import ScimEndpoint, address
from pipeline.sources.sisense.writing import connected
from pipeline.sources.transport import Client
from pipeline.spool import Principal

__all__ = ["Provisioner", "connected_by_scim"]

_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
#: Statuses of a server without PATCH, which is optional (RFC 7644, section 3.12).
_CANNOT_PATCH = frozenset({404, 405, 501})
#: The fields of an account that go through SCIM; the others go by REST.
_BY_SCIM = ("userName", "email", "firstName", "lastName", "active")


class Provisioner:
    """Writes accounts through the SCIM endpoint beside a Sisense, and reads them through ``rest``.

    It is a :class:`~pipeline.sources.accounts.Writer`, and writes groups too.
    """

    def __init__(self, rest: Writer, endpoint: ScimEndpoint) -> None:
        self._rest = rest
        self._endpoint = endpoint

    @property
    def principal(self) -> Principal:
        """Return the account of the REST credential."""
        return self._rest.principal

    @property
    def where(self) -> str:
        """Return the address of the Sisense."""
        return self._rest.where

    @property
    def sleep(self) -> Sleep:
        """Return the function that waits."""
        return self._rest.sleep

    @property
    def witness(self) -> Witness:
        """Return the observer of every change, by SCIM and by REST."""
        return self._rest.witness

    @witness.setter
    def witness(self, witness: Witness) -> None:
        self._rest.witness = witness

    async def account(self, account_id: str) -> AccountState | None:
        """Read one account by REST. Raises as :meth:`~pipeline.sources.accounts.Writer.account`."""
        return await self._rest.account(account_id)

    async def accounts(self, **query: str) -> list[AccountState]:
        """Read accounts by REST. Raises as :meth:`~pipeline.sources.accounts.Writer.accounts`."""
        return await self._rest.accounts(**query)

    async def roles(self) -> list[dict[str, Any]]:
        """Read the roles by REST. Raises as :meth:`~pipeline.sources.accounts.Writer.roles`."""
        return await self._rest.roles()

    async def groups(self) -> list[dict[str, Any]]:
        """Read the groups by REST. Raises as :meth:`~pipeline.sources.accounts.Writer.groups`."""
        return await self._rest.groups()

    async def create(self, fields: Mapping[str, Any]) -> None:
        """Send a new user, once, and then by REST the role and the groups of its account.

        Raises:
            RefusedError: a definite no.
            UnclearError: whether the change was made is unknown; read back.
        """
        document = {"schemas": [_USER], "userName": fields["userName"], "active": fields.get("active", True)}
        document |= {path: value for path, value in _attributes(fields).items() if path not in document}
        try:
            await self._by_scim("POST", "/Users", document)
        except UnclearError:
            # the account may exist all the same, and would then stay without a role
            if not await self.accounts(userName=str(fields["userName"])):
                raise
        rest = {key: value for key, value in fields.items() if key not in {*_BY_SCIM, "password"}}
        found = await self.accounts(userName=str(fields["userName"]))
        if rest and len(found) == 1:
            await self._rest.change(found[0].account_id, rest)

    async def change(self, account_id: str, fields: Mapping[str, Any]) -> None:
        """Send new values, once: through SCIM what it has, by REST the others.

        Raises:
            ContentError: the endpoint does not have exactly one user of that name; nothing was sent.
            RefusedError, UnclearError: as for :meth:`create`.
        """
        attributes = _attributes(fields)
        rest = {key: value for key, value in fields.items() if key not in _BY_SCIM}
        if attributes:
            user = await self._user(account_id)
            path = _path("Users", str(user["id"]))
            # first and last name are changed separately, so that the other one stays
            operations = [{"op": "replace", "path": at, "value": value} for at, value in _flat(attributes)]
            try:
                await self._by_scim("PATCH", path, {"schemas": [_PATCH], "Operations": operations})
            except RefusedError as error:
                if error.status not in _CANNOT_PATCH:
                    raise
                await self._by_scim("PUT", path, _replaced(user, attributes))
        if rest:
            await self._rest.change(account_id, rest)

    async def delete(self, account_id: str) -> None:
        """Delete the user permanently. Raises as :meth:`change`."""
        await self._by_scim("DELETE", _path("Users", str((await self._user(account_id))["id"])), None)

    async def users(self, user_name: str) -> list[dict[str, Any]]:
        """Return the endpoint's users with this name."""
        return await self._endpoint.find("/Users", "userName", user_name)

    async def groups_named(self, name: str) -> list[dict[str, Any]]:
        """Return the endpoint's groups with this name, and their members."""
        return await self._endpoint.find("/Groups", "displayName", name)

    async def create_group(self, name: str, user_ids: Sequence[str]) -> None:
        """Send a new group, once. Raises as :meth:`create`."""
        members = [{"value": user_id} for user_id in user_ids]
        await self._by_scim("POST", "/Groups", {"schemas": [_GROUP], "displayName": name, "members": members})

    async def change_group(
        self, group_id: str, *, name: str | None, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> None:
        """Send a group's new name, and the ids of users to add and remove, once. Raises as :meth:`create`."""
        operations: list[dict[str, Any]] = []
        if name is not None:
            operations.append({"op": "replace", "path": "displayName", "value": name})
        if add:
            operations.append({"op": "add", "path": "members", "value": [{"value": user_id} for user_id in add]})
        operations += [{"op": "remove", "path": f"members[value eq {json.dumps(user_id)}]"} for user_id in remove]
        await self._by_scim("PATCH", _path("Groups", group_id), {"schemas": [_PATCH], "Operations": operations})

    async def delete_group(self, group_id: str) -> None:
        """Delete a group; its members stay. Raises as :meth:`create`."""
        await self._by_scim("DELETE", _path("Groups", group_id), None)

    async def _by_scim(self, method: str, path: str, document: Mapping[str, Any] | None) -> None:
        client = self._endpoint.client
        with self.witness(method, client.redaction.hide(client.source.url + path), document):
            await self._endpoint.write(method, path, document)

    async def _user(self, account_id: str) -> dict[str, Any]:
        account = await self.account(account_id)
        name = account.user_name if account else None
        found = await self.users(name) if name else []
        if len(found) != 1:
            raise ContentError(
                f"the SCIM endpoint has {len(found) or 'no'} users '{name}'",
                where=self._endpoint.client.where("GET", f"{self._endpoint.client.source.url}/Users"),
                hint="run 'access-review scim sync --report', or change the account without --scim",
            )
        return found[0]


@asynccontextmanager
async def connected_by_scim(
    source: SourceSettings,
    credentials: Credentials,
    token: Secret,
    *,
    clock: Clock = utc_now,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Provisioner]:
    """Log in to a source by REST, and open the SCIM endpoint beside it.

    Raises:
        NoScimError: there is no SCIM endpoint, or it does not accept this token.
        SourceError: as :func:`pipeline.sources.sisense.writing.connected`.
    """
    async with (
        connected(source, credentials, clock=clock, sleep=sleep) as rest,
        Client(address(source), clock=clock, sleep=sleep) as client,
    ):
        endpoint = ScimEndpoint(client, token)
        await endpoint.first("/Users")
        yield Provisioner(rest, endpoint)


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an account as attributes of a SCIM user."""
    attributes = {key: fields[key] for key in ("userName", "active") if key in fields}
    if "email" in fields:
        attributes["emails"] = [{"value": fields["email"], "type": "work", "primary": True}]
    name = {
        path: fields[key] for key, path in (("firstName", "givenName"), ("lastName", "familyName")) if key in fields
    }
    return attributes | ({"name": name} if name else {})


def _flat(attributes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        pair
        for key, value in attributes.items()
        for pair in ([(f"name.{part}", text) for part, text in value.items()] if key == "name" else [(key, value)])
    ]


def _replaced(user: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    name = {**(user.get("name") or {}), **attributes.get("name", {})}
    kept = {key: value for key, value in user.items() if key not in {"meta", "groups"}}
    return {**kept, **attributes} | ({"name": name} if name else {})


def _path(kind: str, record_id: str) -> str:
    return f"/{kind}/{quote(record_id, safe='')}"
