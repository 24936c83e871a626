"""The objects of the synthetic organisation: dashboards, models, row rules, folders, reports and settings.

They come from a random stream of their own, so that accounts, roster and answer key do not depend on them. The same
population and the same sizes give the same objects. ``planted`` says which findings the rules about objects must
report, and no others; it rests on the labels of :meth:`Objects.labels_csv`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pipeline.simulator.population import Population

__all__ = [
    "LOCAL_SERVER",
    "ROW_VALUE_MARKS",
    "SENSITIVE",
    "SETTINGS_SECRET",
    "ObjectLabel",
    "ObjectSizes",
    "Objects",
    "PlantedObjectFinding",
    "SimulatedDashboard",
    "SimulatedModel",
    "build_objects",
]

LOCAL_SERVER = "localhost"
"""The only server of extract models on Linux."""
SETTINGS_SECRET = "synthetic-settings-secret"  # noqa: S105 - a canary
"""Begins every secret in the settings: shared secrets, certificates, tokens. A reader must never store it."""
ROW_VALUE_MARKS = ("synthetic-row-value", "770010", "1877-")
"""Each member of a row rule begins with one of these: a text, a number, a date. A reader must never store one."""
SENSITIVE = "sensitive"
"""The label of sensitive objects in ``objects.csv``."""

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ObjectSizes:
    """How many objects to make. ``shares`` are those of dashboards, without the owners' own."""

    dashboards: int
    models: int
    shares: int
    row_rules: int

    @classmethod
    def for_accounts(cls, accounts: int) -> ObjectSizes:
        """Return the usual sizes: one dashboard for 8 accounts, one model for 25."""
        dashboards, models = max(6, accounts // 8), max(4, accounts // 25)
        return cls(dashboards, models, 8 * dashboards, 4 * models)


@dataclass(frozen=True, slots=True)
class SimulatedDashboard:
    """One dashboard. ``shares`` are records of the API without the owner's own; ``folder`` and ``owner`` are ids.

    ``owner_is_listed`` is false if the owner's own share is missing, as after the deletion of the owner.
    ``invitations`` are addresses without an account.
    """

    oid: str
    title: str
    owner: str
    model_id: str
    folder: str | None
    shares: tuple[Record, ...]
    created: str
    last_updated: str
    is_public: bool = False
    owner_is_listed: bool = True
    invitations: tuple[str, ...] = ()

    @property
    def all_shares(self) -> list[Record]:
        """Return the shares as the API lists them. The owner's own has no rule."""
        own: Record = {"shareId": self.owner, "type": "user", "subscribe": False}
        return [own, *self.shares] if self.owner_is_listed else list(self.shares)


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """One model: an extract on ``server``, or a live model, whose ``server`` is empty.

    ``shares`` are ``{partyId, type, permission}``. ``rules`` are the row rules as records of the API, without the
    fields that name the model. ``path`` is the folder of its data on a Windows server.
    """

    model_id: str
    title: str
    server: str
    creator: str
    shares: tuple[Record, ...]
    created: str
    last_updated: str
    size_mb: int
    rules: tuple[Record, ...] = ()
    path: str = ""

    @property
    def is_live(self) -> bool:
        """Return whether the model queries its source directly."""
        return not self.server

    @property
    def fullname(self) -> str:
        """Return the name that a dashboard's data source and a row rule have for the model."""
        return f"live:{self.title}" if self.is_live else f"{self.server}/{self.title}"


class PlantedObjectFinding(NamedTuple):
    """One finding that a rule about objects must report.

    ``object_id`` is None for a finding about the whole source. ``party`` is the account, group or address that the
    finding is about besides the object, ``place`` a table and column.
    """

    severity: str
    object_type: str
    object_id: str | None
    party: str | None = None
    place: str | None = None
    detail: str = ""


class ObjectLabel(NamedTuple):
    """One row of ``objects.csv``. ``object`` is an id or an exact title."""

    object_type: str
    object: str
    sensitivity: str
    owner_email: str


@dataclass(frozen=True)
class Objects:
    """All objects of one organisation. ``planted`` is the answer key by rule id.

    ``folders`` and ``tenants`` are records of the API; ``reports`` are those of the report manager with
    ``recipientsInfo``. ``sso`` and ``lockout`` are the settings, with canaries in place of secrets.
    """

    dashboards: tuple[SimulatedDashboard, ...]
    models: tuple[SimulatedModel, ...]
    folders: tuple[Record, ...]
    reports: tuple[Record, ...]
    tenants: tuple[Record, ...]
    sso: Record
    lockout: Record
    everyone_id: str
    members: Mapping[str, list[str]]
    labels: tuple[ObjectLabel, ...]
    planted: dict[str, tuple[PlantedObjectFinding, ...]]

    @cached_property
    def models_by_id(self) -> dict[str, SimulatedModel]:
        """Return the models by their id."""
        return {model.model_id: model for model in self.models}

    @cached_property
    def dashboards_by_id(self) -> dict[str, SimulatedDashboard]:
        """Return the dashboards by their oid."""
        return {dashboard.oid: dashboard for dashboard in self.dashboards}

    @cached_property
    def dashboard_records(self) -> list[Record]:
        """Return the owners' dashboards as the list of all dashboards has them."""
        return [self._dashboard_record(dashboard) for dashboard in self.dashboards]

    @cached_property
    def dashboard_copies(self) -> list[Record]:
        """Return the dashboards of all users: the owners', and a copy for each recipient.

        Of a group the first three members have a copy.
        """
        rows = []
        for record in self.dashboard_records:
            rows.append(record)
            recipients = dict.fromkeys(
                user_id
                for share in record["shares"]
                for user_id in (
                    [share["shareId"]] if share["type"] == "user" else self.members.get(share["shareId"], [])[:3]
                )
            )
            rows += [
                {**record, "_id": _copy_id(record["oid"], user_id), "userId": user_id, "instanceType": "user"}
                for user_id in recipients
                if user_id != record["owner"]
            ]
        return rows

    def _dashboard_record(self, dashboard: SimulatedDashboard) -> Record:
        return {
            "_id": _copy_id(dashboard.oid, dashboard.owner),
            "oid": dashboard.oid,
            "title": dashboard.title,
            "desc": "",
            "type": "dashboard",
            "owner": dashboard.owner,
            "userId": dashboard.owner,
            "instanceType": "owner",
            "shares": dashboard.all_shares,
            "datasource": _datasource(self.models_by_id.get(dashboard.model_id)),
            "parentFolder": dashboard.folder,
            "created": dashboard.created,
            "lastUpdated": dashboard.last_updated,
        }

    def labels_csv(self) -> str:
        """Return ``objects.csv`` of the policy: which objects are sensitive."""
        return _csv(ObjectLabel._fields, self.labels)

    def planted_csv(self) -> str:
        """Return the answer key of the rules about objects, one row per finding."""
        rows = ((rule_id, *item) for rule_id, items in sorted(self.planted.items()) for item in items)
        return _csv(["rule_id", *PlantedObjectFinding._fields], rows)


def build_objects(population: Population) -> Objects:
    """Make the objects of a population, in the sizes that it names."""
    from pipeline.simulator.objects_planting import Planting  # it needs this module

    return Planting(population).finished()


def _datasource(model: SimulatedModel | None) -> Record | None:
    if model is None:
        return None
    name = "".join(letter for letter in model.title if letter.isalnum())
    if model.is_live:
        return {"title": model.title, "id": model.fullname, "fullname": model.fullname, "live": True}
    # the address is spelled differently from the server of the lists, as on real servers
    address = "LocalHost" if model.server == LOCAL_SERVER else model.server
    return {
        "title": model.title,
        "id": f"a{address}_a{name}",
        "address": address,
        "database": f"a{name}",
        "fullname": f"{address}/{model.title}",
    }


def _copy_id(oid: str, user_id: str) -> str:
    """Return a stable id of one user's copy."""
    return f"{(int(oid, 16) * 1_000_003 + int(user_id, 16)) % (1 << 96):024x}"


def _csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
