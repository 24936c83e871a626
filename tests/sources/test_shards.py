"""Shards: several extracts read parts of one list; a merge proves that they are the list, or says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline import Project, load_settings
from pipeline.errors import AccessReviewError, SourceError, UsageError
from pipeline.results import ExtractResult
from pipeline.simulator.server import Simulator
from tests.fakes.sisense import API_TOKEN, FakeSisense, account, accounts

CONFIGURATION = """
[organization]
name = "Example Corp"
email_domains = ["example.com"]
[sources.prod]
kind = "sisense"
url = "{url}"
page_size = {page_size}
objects = false
"""
GROUPS = [{"_id": f"{900:024x}", "name": "Staff", "users": [{"_id": f"{n:024x}"} for n in range(1, 40)]}]


@dataclass
class Machine:
    """One machine with a database of its own."""

    project: Project

    def shard(self, text: str) -> str:
        return self.project.extract(shard=text).snapshot_id

    def merge(self, *snapshots: str, **options: Any) -> ExtractResult:
        return self.project.merge(*snapshots, **options)

    def column(self, query: str, **values: str) -> list[Any]:
        return [row[0] for row in self.project.query(query, **values).iter_rows()]

    def failed(self, snapshot_id: str) -> set[str]:
        query = "select check_id from meta.reconciliation where snapshot_id = $id and is_gate and result = 'FAIL'"
        return set(self.column(query, id=snapshot_id))

    def ids(self, snapshot_id: str) -> set[str]:
        query = "select payload ->> '$._id' from raw.users where snapshot_id = $id and is_accepted"
        return set(self.column(query, id=snapshot_id))


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Machine]:
    """Return a function that sets up a machine for a server."""
    names = iter(range(100))

    def set_up(fake: FakeSisense, page_size: int = 10) -> Machine:
        folder = tmp_path / str(next(names))
        folder.mkdir()
        path = folder / "access-review.toml"
        path.write_text(CONFIGURATION.format(url=fake.url, page_size=page_size))
        return Machine(Project(load_settings(path), {"ACCESS_REVIEW_PROD_TOKEN": API_TOKEN}))

    return set_up


@pytest.fixture
def fake() -> Iterator[FakeSisense]:
    with FakeSisense(accounts(230), groups=GROUPS) as server:
        yield server


def test_merged_shards_equal_an_extract_of_the_whole(fake: FakeSisense, machine: Callable[..., Machine]) -> None:
    here = machine(fake)
    whole = here.project.extract()
    results = {whole.snapshot_id: whole.completeness}
    for count in (1, 2, 5):
        merged = here.merge(*[here.shard(f"{number}/{count}") for number in range(1, count + 1)])
        results[merged.snapshot_id] = merged.completeness
        assert here.ids(merged.snapshot_id) == fake.ids

    assert set(results.values()) == {"FULL"}
    findings = "select rule_id, subject_id, observed_value from findings.register order by all"
    accounts = "from graph.accounts select source, account_id, role_id, group_count order by all"
    built = []
    for snapshot_id in results:
        here.project.build(snapshot_id, as_of=whole.finished_at)
        built.append((here.project.query(findings).rows(), here.project.query(accounts).rows()))
    assert all(tables == built[0] for tables in built)
    assert len(built[0][1]) == 230


def test_a_merge_has_the_dashboards_of_the_first_shard_and_each_check_once(tmp_path: Path) -> None:
    with Simulator(40, 7) as simulator:
        settings = load_settings(simulator.write_files(tmp_path)["access-review.toml"])
        here = Machine(Project(settings, {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password}))
        whole = here.project.extract()
        merged = here.merge(here.shard("1/2"), here.shard("2/2"))

    listed = """
        select check_id from meta.reconciliation
        where snapshot_id = $id and not starts_with(check_id, 'shard') order by all
    """
    dashboards = "select payload ->> '$.oid' from raw.dashboards where snapshot_id = $id and is_accepted order by all"
    for query in (listed, dashboards):
        expected = here.column(query, id=whole.snapshot_id)
        assert here.column(query, id=merged.snapshot_id) == expected
        assert expected
    assert here.project.build(merged.snapshot_id).accounts == 40


def test_a_shard_alone_is_partial_and_reads_only_its_part(fake: FakeSisense, machine: Callable[..., Machine]) -> None:
    here = machine(fake)
    done = here.project.extract(shard="2/5")

    assert done.completeness == "PARTIAL"
    assert here.failed(done.snapshot_id) == {"shard_alone", "count_agrees"}
    assert here.ids(done.snapshot_id) == {f"{n:024x}" for n in range(46, 103)}  # one of shard 1, ten of shard 3
    assert fake.seen["groups"] == 0


def test_shards_of_several_machines_are_merged_on_one(fake: FakeSisense, machine: Callable[..., Machine]) -> None:
    here, there = machine(fake), machine(fake)
    snapshots = [here.shard("1/2"), there.shard("2/2")]
    merged = here.merge(*snapshots, databases=[there.project.settings.warehouse.database])

    assert merged.completeness == "FULL"
    assert here.ids(merged.snapshot_id) == fake.ids
    assert here.column("select part_snapshot_id from meta.shards order by number") == snapshots


def test_what_does_not_fit_is_refused(fake: FakeSisense, machine: Callable[..., Machine]) -> None:
    here = machine(fake)
    first, second, third, whole = here.shard("1/2"), here.shard("2/2"), here.shard("2/3"), here.project.extract()
    for snapshots, words in (
        ([first], "not there: shard 2/2"),
        ([first, second, here.shard("2/2")], "shard 2 of 2 is there 2 times"),
        ([first, third], "different counts of shards"),
        ([first, second, whole.snapshot_id], "different counts of shards"),
    ):
        with pytest.raises(UsageError, match=words):
            here.merge(*snapshots)
    with pytest.raises(AccessReviewError, match="no snapshot"):
        here.merge(first, "20200101T000000Z-0000")
    known = here.column("select count(*) from meta.snapshots")
    assert known == [5]


def test_shards_of_another_server_are_refused(fake: FakeSisense, machine: Callable[..., Machine]) -> None:
    here = machine(fake)
    with FakeSisense(accounts(230)) as other:
        there = machine(other)
        with pytest.raises(UsageError, match="different servers"):
            here.merge(here.shard("1/2"), there.shard("2/2"), databases=[there.project.settings.warehouse.database])


def test_a_shard_that_failed_makes_the_whole_partial(fake: FakeSisense, machine: Callable[..., Machine]) -> None:
    here = machine(fake)
    first = here.shard("1/2")
    plain = fake.handlers["loggedin"]
    fake.handlers["loggedin"] = lambda request: plain(request)
    fake.loggedin = {**(fake.loggedin or {}), "roleName": "consumer"}
    merged = here.merge(first, here.shard("2/2"))

    assert merged.completeness == "PARTIAL"
    assert "caller_sees_everyone" in (merged.reason or "")


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda users: users.pop(0), "shard_counts_agree"),
        (lambda users: users.append(account(1000)), "shard_counts_agree"),
        # one leaves and another arrives: no count moves, and the ranges of ids meet all the same
        (lambda users: (users.pop(0), users.append(account(1000))), "count_agrees"),
        # so many leave that the ranges no longer meet
        (lambda users: users.__setitem__(slice(None), users[30:] + accounts(1030)[1000:]), "joined"),
        # the account between the two shards leaves
        (lambda users: (users.pop(118), users.append(account(1000))), "shards_overlap"),
    ],
    ids=["one leaves", "one arrives", "one leaves and one arrives", "many do", "a shared one leaves"],
)
def test_a_list_that_changes_between_the_shards_is_not_complete(
    fake: FakeSisense, machine: Callable[..., Machine], change: Callable[[list[Any]], Any], check: str
) -> None:
    here = machine(fake)
    first, throughout = here.shard("1/2"), fake.ids
    change(fake.users)
    throughout &= fake.ids
    merged = here.merge(first, here.shard("2/2"))

    assert merged.completeness == "PARTIAL"
    assert any(check in failed for failed in here.failed(merged.snapshot_id))
    if check != "joined":  # the check that fails when accounts may be missing
        assert here.ids(merged.snapshot_id) >= throughout


def test_an_account_that_changed_between_two_shards_is_named(
    fake: FakeSisense, machine: Callable[..., Machine]
) -> None:
    here = machine(fake)
    first = here.shard("1/2")
    fake.users[118]["firstName"] = "Ann"
    merged = here.merge(first, here.shard("2/2"))

    assert "ids_consistent" in here.failed(merged.snapshot_id)


def test_a_list_without_a_fixed_order_or_a_count_cannot_be_read_in_shards(machine: Callable[..., Machine]) -> None:
    for options, words in (({"has_count": False}, "does not count"), ({"strict": True}, "does not sort")):
        with FakeSisense(accounts(30), **options) as fake, pytest.raises(SourceError, match=words):
            machine(fake).project.extract(shard="1/2")


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "1/0", "a/b"])
def test_what_is_no_shard_is_refused_before_anything_is_sent(
    fake: FakeSisense, machine: Callable[..., Machine], text: str
) -> None:
    with pytest.raises(UsageError, match="is not a shard"):
        machine(fake).shard(text)
    assert not fake.seen
