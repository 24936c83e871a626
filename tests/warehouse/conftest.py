"""A warehouse in a temporary folder: extracts spooled by hand, landed and built as the program does it."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import resources
from pipeline.spool import Observation, PageEntry, Principal, SourceOutcome, Spool
from pipeline.warehouse import database, landing
from pipeline.warehouse.build import Build, Inputs, build
from pipeline.warehouse.landing import LandingJob
from pipeline.warehouse.model import Model
from pipeline.warehouse.model_file import load_folder, load_model
from pipeline.warehouse.people import read_roster
from pipeline.warehouse.policy import PolicyFiles
from pipeline.warehouse.roster_columns import RosterFormat
from pipeline.warehouse.rules import in_force
from pipeline.warehouse.snapshots import Snapshot

ROLES = [
    {"_id": "r-admin", "name": "admin"},
    {"_id": "r-viewer", "name": "consumer"},
    {"_id": "r-odd", "name": "custom_odd"},
]
GROUPS = [{"_id": "g-all", "name": "Everyone"}, {"_id": "g-sales", "name": "Sales"}, {"_id": "g-ops", "name": "Ops"}]


def user(account_id: str, **fields: Any) -> dict[str, Any]:
    """Return an ordinary user record: an active viewer, seen in December."""
    return {
        "_id": account_id,
        "userName": f"{account_id}@example.com",
        "email": f"{account_id}@example.com",
        "firstName": "Test",
        "lastName": account_id.title(),
        "roleId": "r-viewer",
        "groups": ["g-all"],
        "active": True,
        "created": "2024-01-01T00:00:00.000Z",
        "lastUpdated": "2025-12-01T00:00:00.000Z",
        "lastLogin": "2025-12-20T08:00:00.000Z",
    } | fields


@dataclass
class Source:
    """What one source answered: records by resource, how many a page, and the outcome's own fields."""

    users: Sequence[Any]
    roles: Sequence[Any] = field(default_factory=lambda: list(ROLES))
    groups: Sequence[Any] = field(default_factory=lambda: list(GROUPS))
    page_size: int = 100
    repeat_first_page: bool = False
    scim_users: Sequence[Any] | None = None
    dashboards: Sequence[Any] | None = None
    rejected_users: Sequence[Any] = ()
    outcome: Mapping[str, Any] = field(default_factory=dict)


class House:
    """One database and the files beside it."""

    def __init__(self, connection: database.Connection, folder: Path, models: Sequence[Model]) -> None:
        self.connection = connection
        self.folder = folder
        self.models = models

    def spool(self, snapshot_id: str, sources: Mapping[str, Source]) -> Spool:
        spool = Spool.create(self.folder / "spool" / snapshot_id)
        for name, source in sources.items():
            self._write(spool, name, source)
        spool.close()
        return spool

    def _write(self, spool: Spool, name: str, source: Source) -> None:
        lists = [("users", 1, source.rejected_users)] if source.rejected_users else []
        accepted = {"users": 1 + len(lists), "roles": 1, "groups": 1}
        for resource in ("scim_users", "dashboards"):
            if getattr(source, resource) is not None:
                accepted[resource] = 1
        lists += [(resource, accepted[resource], getattr(source, resource)) for resource in accepted]
        for resource, sweep, records in lists:
            pages = [records[i : i + source.page_size] for i in range(0, len(records), source.page_size)]
            if source.repeat_first_page and resource == "users":
                pages.append(pages[0])
            for number, page in enumerate([*pages, []], start=1):
                body = json.dumps(page, ensure_ascii=False).encode()
                file = spool.write_body(name, f"{resource}-{sweep}-{number}.json", body) if page else None
                spool.add_page(
                    PageEntry(
                        source=name, resource=resource, sweep=sweep, page=number,
                        offset=(number - 1) * source.page_size, status=200, items=len(page), bytes=len(body),
                        url=f"https://bi.example.com/api/{resource}?skip=0", redacted_sha256=None,
                        sha256=hashlib.sha256(body).hexdigest(),
                        started_at="2026-01-01T02:00:00+02:00", fetched_at="2026-01-01T00:00:01Z", elapsed_ms=9,
                        attempts=1, file=file,
                    )
                )  # fmt: skip
        ids = [record.get("_id") for record in source.users if isinstance(record, dict)]
        distinct = len({str(record_id) for record_id in ids if record_id})
        outcome = SourceOutcome(
            source=name,
            kind="sisense",
            url="https://bi.example.com",
            api="v1",
            version="1.0",
            principal=Principal("svc", None, "r-admin", "admin"),
            accepted_sweeps=accepted,
            server_counts={"users_before": distinct, "users_after": distinct},
            clock_skew_seconds=1.0,
            observations=(Observation("end_proven", "The end is proven", None, None, None, "PASS", "It is."),),
            started_at="2026-01-01T00:00:00Z",
            finished_at="2026-01-01T00:01:00Z",
        )
        spool.write_outcome(replace(outcome, **source.outcome))

    def land(
        self, snapshot_id: str, sources: Mapping[str, Source], *, finished_at: datetime | None = None
    ) -> Snapshot:
        started_at = datetime.strptime(snapshot_id[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - UTC, as stored
        spool = self.spool(snapshot_id, sources)
        try:
            job = LandingJob(
                snapshot_id=snapshot_id,
                started_at=started_at,
                finished_at=finished_at or started_at + timedelta(minutes=1, microseconds=500_000),
                policy_files=self.policy_files(None),
                tool_version="0",
                config_sha256="0",
            )
            return landing.land(self.connection, spool, self.models, job)
        finally:
            spool.close()

    def policy_files(self, files: Mapping[str, str] | None) -> PolicyFiles:
        folder = None
        if files is not None:
            folder = self.folder / "policy"
            folder.mkdir(exist_ok=True)
            for old in folder.iterdir():
                old.unlink()
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
        return PolicyFiles(resources.reference_data(), folder, ("example.com",))

    def build(
        self,
        snapshot: Snapshot,
        *,
        models: Sequence[Model] | None = None,
        as_of: datetime | None = None,
        baseline: str | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        policy: Mapping[str, str] | None = None,
        roster: str | None = None,
        roster_format: RosterFormat | None = None,
        configured: Mapping[str, Any] | None = None,
    ) -> Build:
        """Build a snapshot; ``configured`` are settings that reach the policy, as ``due_days``."""
        path = None
        if roster is not None:
            path = self.folder / "people.csv"
            path.write_text(roster, encoding="utf-8")
        known = models or self.models
        with ExitStack() as stack:
            people = stack.enter_context(read_roster(path, roster_format)) if path else None
            inputs = Inputs(
                organization="Example Corp",
                policy_files=replace(self.policy_files(policy), **(configured or {})),
                roster=people,
                rules=in_force(known, overrides or {}, where="test.toml"),
                snapshot=snapshot,
                as_of=as_of or snapshot.as_of,
                baseline_snapshot_id=baseline,
                tool_version="0",
            )
            return build(self.connection, known, inputs, progress=lambda _table, _done, _total: None)

    def rows(self, query: str) -> list[Any]:
        return self.connection.execute(query).fetchall()

    def reports(self) -> dict[str, list[Any]]:
        """Return every row of every table that the report files carry, sorted."""
        names = self.rows("select table_name from duckdb_tables() where schema_name = 'reports' order by 1")
        return {name: self.rows(f"select * from reports.{name} order by all") for (name,) in names}


@pytest.fixture(scope="session")
def models() -> list[Model]:
    return load_folder(resources.sql())


@contextmanager
def opened(folder: Path, models: Sequence[Model]) -> Iterator[House]:
    with database.writing(folder / "access-review.duckdb", notify=pytest.fail) as connection:
        connection.execute("set threads = 1")  # the tests themselves run side by side
        yield House(connection, folder, models)


@contextmanager
def opened_copy(template: Path, folder: Path, models: Sequence[Model]) -> Iterator[House]:
    """Open a copy of the house in the folder ``template``, which takes a hundredth of the time of making it again."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    with opened(folder, models) as house:
        yield house


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    with opened(folder, models):
        return folder


@pytest.fixture
def house(empty: Path, tmp_path: Path, models: list[Model]) -> Iterator[House]:
    with opened_copy(empty, tmp_path, models) as house:
        yield house


@pytest.fixture
def open_house() -> Callable[..., AbstractContextManager[House]]:
    """Give a function that opens a house in memory: (folder, models)."""

    @contextmanager
    def in_memory(folder: Path, models: Sequence[Model]) -> Iterator[House]:
        folder.mkdir()
        with database.in_memory() as connection:
            connection.execute("set threads = 1")
            yield House(connection, folder, models)

    return in_memory


@pytest.fixture(scope="session")
def make_user() -> Callable[..., dict[str, Any]]:
    return user


@pytest.fixture(scope="session")
def source() -> type[Source]:
    return Source


@pytest.fixture
def altered(tmp_path: Path) -> Callable[..., Model]:
    """Give a function that reads a shipped model again, with a text in its file replaced."""

    def alter(model: Model, pattern: str, replacement: str) -> Model:
        text, count = re.subn(pattern, replacement, model.path.read_text(encoding="utf-8"), count=1)
        assert count == 1, f"{model.path} has no {pattern!r}"
        path = tmp_path / "altered" / model.path.parent.name / model.path.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return load_model(path)

    return alter


@pytest.fixture
def people(make_user: Callable[..., dict[str, Any]]) -> list[dict[str, Any]]:
    """One of each: ordinary, long unused, never seen, administrator, dangling, unreadable, outside, disabled."""
    return [
        make_user("ann", groups=["g-all", "g-sales"]),
        make_user("old", lastLogin="2025-01-01T00:00:00Z"),
        make_user("new", lastLogin=None, created="2025-01-01T00:00:00Z"),
        make_user("boss", roleId="r-admin", lastLogin="2025-06-01T00:00:00Z"),
        make_user("lost", roleId="r-gone", groups=["g-gone", "g-gone-too"]),
        make_user("odd", lastLogin="yesterday", active=None),
        make_user("guest", email="guest@elsewhere.test"),
        make_user("off", active=False, roleId="r-admin", lastUpdated="2025-01-01T00:00:00Z"),
    ]
