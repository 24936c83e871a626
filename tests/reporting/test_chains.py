"""A directory of report folders as an auditor checks it: complete and in order, or not, and then what is wrong."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import UsageError
from pipeline.evidence.chains import ChainVerification, verify_chains
from pipeline.evidence.stamping import stamp
from pipeline.evidence.time_stamp import Authorities, request
from pipeline.evidence.verification import verify
from tests.fakes.forger import reseal
from tests.fakes.time_stamp_authority import Authority

IDS = ("20260101T000000Z-0001", "20260201T000000Z-0002", "20260301T000000Z-0003", "20260401T000000Z-0004")
SOURCES = [{"name": "prod", "url": "https://bi.example.com"}]
Make = Callable[..., Path]


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def small(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report folder with few files."""
    folder = shutil.copytree(written, tmp_path_factory.mktemp("small") / "report")
    for name in ("raw", "sql", "inputs"):
        shutil.rmtree(folder / name)
    (folder / "inputs").mkdir()
    return folder


@pytest.fixture
def make(small: Path, tmp_path: Path) -> Make:
    """Give a function that writes the report of a snapshot, chained to another folder."""

    def report(
        snapshot_id: str, previous: Path | None, *, name: str = "", after: str | None = None, **changes
    ) -> Path:
        folder = shutil.copytree(small, tmp_path / "out" / (name or snapshot_id))
        after = after or (previous.name if previous else None)
        with duckdb.connect() as connection:
            connection.execute(
                f"copy (select '{after}' as previous_snapshot_id where '{after}' != 'None')"
                f" to '{folder}/inputs/meta.snapshots.parquet'"
            )
        sealed = {
            "snapshot_id": snapshot_id,
            "previous_manifest_sha256": sha256(previous) if previous else None,
            "organization": "Example Corp",
            "sources": SOURCES,
            "extracted": {
                "started_at": None,
                "finished_at": f"{snapshot_id[:4]}-{snapshot_id[4:6]}-01T00:05:00.000Z",
            },
        }
        reseal(folder, **(sealed | changes))
        return folder

    return report


@pytest.fixture
def four(make: Make) -> list[Path]:
    folders: list[Path] = []
    for snapshot_id in IDS:
        folders.append(make(snapshot_id, folders[-1] if folders else None))
    return folders


def check(directory: Path, **trust) -> ChainVerification:
    return verify_chains(directory, functools.partial(verify, **trust))


def problems(directory: Path) -> list[tuple[str, str]]:
    return [(each.path, each.what) for each in check(directory).problems]


def sign_off(report: Path) -> Path:
    folder = report.with_name(f"{report.name}-signoff-Q1")
    folder.mkdir()
    shutil.copy(report / "manifest.json", folder)
    (folder / "decisions.csv").write_text("item_id,decision\n1,keep\n", encoding="utf-8")
    reseal(folder, previous_manifest_sha256=sha256(report))
    return folder


def test_an_unbroken_chain_verifies_in_its_order(four: list[Path]):
    signed = sign_off(four[1])
    (signed.parent / "campaigns").mkdir()  # review packets, which are not sealed

    found = check(four[0].parent)

    assert found.problems == ()
    [chain] = found.chains
    assert [each.name for each in chain.folders] == [IDS[0], IDS[1], signed.name, IDS[2], IDS[3]]
    assert chain.chained_to == {IDS[1]: IDS[0], signed.name: IDS[1], IDS[2]: IDS[1], IDS[3]: IDS[2]}
    assert (chain.organization, chain.sources) == ("Example Corp", ("prod",))


def test_a_missing_report_is_named(four: list[Path]):
    wanted = sha256(four[1])
    shutil.rmtree(four[1])

    [(path, what)] = problems(four[0].parent)

    assert path == IDS[2]
    assert f"one after {IDS[0]} (perhaps that of snapshot {IDS[1]})" in what
    assert wanted in what


def test_a_missing_first_report_is_named(four: list[Path]):
    shutil.rmtree(four[0])

    [(path, what)] = problems(four[1].parent)

    assert (path, "is chained to an earlier report that is missing" in what) == (IDS[1], True)


def test_a_replaced_report_is_named(four: list[Path]):
    """A forger who changes a report and its manifest cannot change what the next report says of it."""
    (four[1] / "findings.csv").write_text("finding_id\n", encoding="utf-8")
    reseal(four[1])

    assert verify(four[1]).problems == ()
    [(path, what)] = problems(four[0].parent)

    assert path == IDS[1]
    assert f"has been replaced, or written again: {IDS[2]} is chained to another report" in what


def test_a_changed_manifest_is_named_with_what_it_breaks(four: list[Path]):
    path = four[1] / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"rows": 40', '"rows": 41'), encoding="utf-8")

    named = {each for each, _ in problems(four[0].parent)}

    assert named == {f"{IDS[1]}/population.csv", f"{IDS[1]}/licences.csv", IDS[1]}


def test_reordered_reports_are_named(four: list[Path], make: Make):
    """The third and the fourth are sealed again in the other order."""
    for folder in four[2:]:
        shutil.rmtree(folder)
    fourth = make(IDS[3], four[1])
    make(IDS[2], fourth)

    assert (IDS[2], f"is out of order: it is chained to {IDS[3]}, which is not earlier") in problems(four[0].parent)


def test_a_time_stamp_before_the_previous_report_is_out_of_order(make: Make, tmp_path: Path):
    with Authority(tmp_path / "authority") as authority:
        first = make("20260101T000000Z-0001", None, extracted={"finished_at": "2999-01-01T00:00:00.000Z"})
        second = make("20260201T000000Z-0002", first)
        (second / "manifest.json.tsr").write_bytes(
            authority.stamp(request((second / "manifest.json").read_bytes()).as_bytes())
        )

        [(path, what)] = problems(first.parent)

    assert path == second.name
    assert what.startswith("is out of order: it is time-stamped")
    assert first.name in what


def test_two_reports_after_one_are_named(four: list[Path], make: Make):
    fork = make("20260315T000000Z-00ff", four[1])

    assert problems(four[0].parent) == [
        (IDS[1], f"is followed by more than one report: {IDS[2]} and {fork.name}"),
    ]


def test_two_builds_of_one_snapshot_are_not_a_fork(four: list[Path], make: Make):
    make(IDS[2], four[1], name=f"{IDS[2]}-01234567", as_of="2026-12-31T00:00:00.000Z")
    make(IDS[0], None, name=f"{IDS[0]}-01234567", as_of="2026-12-31T00:00:00.000Z")

    assert problems(four[0].parent) == []


def test_a_chain_that_begins_again_is_named(four: list[Path], make: Make):
    again = make("20260501T000000Z-0005", None)

    assert problems(four[0].parent) == [
        (again.name, f"begins a second chain of the same sources; the first begins with {IDS[0]}")
    ]


def test_chains_of_several_projects_are_told_apart(four: list[Path], make: Make):
    other = make("20260215T000000Z-aaaa", None, sources=[{"name": "prod", "url": "https://other.example.com"}])
    make("20260315T000000Z-bbbb", other, organization="Other Corp")  # renamed since, and still chained

    found = check(four[0].parent)

    assert found.problems == ()
    assert [(chain.organization, len(chain.folders)) for chain in found.chains] == [
        ("Example Corp", 4),
        ("Other Corp", 2),
    ]


def test_a_copy_of_a_folder_is_a_note(four: list[Path]):
    shutil.copytree(four[1], four[1].with_name("copy of February"))

    found = check(four[0].parent)

    assert found.problems == ()
    assert found.notes[-1] == f"copy of February is a copy of {IDS[1]}"


@pytest.mark.parametrize("change", ["removed", "replaced", "moved"])
def test_the_report_under_a_sign_off_is_checked(four: list[Path], change: str):
    signed = sign_off(four[3])
    if change == "removed":
        shutil.rmtree(four[3])
        expected = (signed.name, "rests on a report that is missing")
    elif change == "replaced":
        reseal(four[3], as_of="2026-12-31T00:00:00.000Z")
        expected = (IDS[3], f"has been replaced, or written again: {signed.name} rests on another report")
    else:
        reseal(signed, previous_manifest_sha256=sha256(four[2]))
        expected = (signed.name, f"rests on {IDS[2]}, which is not a report of its snapshot")

    [(path, what)] = problems(four[0].parent)

    assert path == expected[0]
    assert what.startswith(expected[1])


def test_each_folder_is_verified_with_the_key_and_the_certificate_of_the_caller(four: list[Path], tmp_path: Path):
    with Authority(tmp_path / "authority") as authority:
        for folder in four[:3]:
            stamp(folder, authority.url, {})
        found = check(four[0].parent, authorities=Authorities.read(authority.root.path))

    assert [each.path for each in found.problems] == [f"{IDS[3]}/manifest.json.tsr"]
    assert [each.found.time_stamp.state for each in found.chains[0].folders] == [*["trusted"] * 3, "none"]


@pytest.mark.parametrize(
    ("content", "said"), [("{", "is not JSON"), (None, "is missing"), ("links", "does not say what the folder")]
)
def test_a_manifest_that_cannot_be_used_is_named(four: list[Path], content: str | None, said: str):
    path = four[3] / "manifest.json"
    if content == "links":
        reseal(four[3], previous_manifest_sha256=["not", "a", "hash"])
    elif content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")

    [(where, what)] = problems(four[0].parent)

    assert where == f"{IDS[3]}/manifest.json"
    assert said in what


def test_a_folder_of_a_later_version_is_named_and_the_others_are_checked(four: list[Path]):
    document = json.loads((four[3] / "manifest.json").read_bytes())
    (four[3] / "manifest.json").write_text(json.dumps(document | {"schema_version": 99}), encoding="utf-8")

    found = check(four[0].parent)

    [problem] = found.problems
    assert problem.path == IDS[3]
    assert "cannot be verified: the manifest has schema version 99" in problem.what
    assert (found.folders, found.unplaced) == (3, (IDS[3],))
    assert found.problems_of(IDS[3]) == [problem]


@pytest.mark.parametrize("names", [("second", IDS[1]), (IDS[2], f"{IDS[2]}-copy"), (IDS[1], "third")])
def test_a_folder_with_the_name_of_another_snapshot_is_named(four: list[Path], names: tuple[str, str]):
    """Other names are the reader's own."""
    moved = [folder.rename(folder.with_name(f".{folder.name}")) for folder in four[1:3]]
    for folder, name in zip(moved, names, strict=True):
        folder.rename(folder.with_name(name))

    posing = [(name, held) for name, held in zip(names, IDS[1:3], strict=True) if name[:21] in {*IDS} - {held}]
    assert problems(four[0].parent) == [
        (name, f"has the name of another snapshot: it holds the report of {held}") for name, held in sorted(posing)
    ]


def test_what_several_folders_say_is_said_once(four: list[Path]):
    for folder in four[:3]:
        reseal(folder, tool={"name": "sisense-access-review", "version": "0.0.1"})

    notes = [note for note in check(four[0].parent).notes if "0.0.1" in note]

    assert len(notes) == 1
    assert notes[0].startswith(f"{IDS[0]} and 2 other folders: the folder was written with other versions")


def test_a_directory_without_report_folders_is_a_usage_error(tmp_path: Path, four: list[Path]):
    (tmp_path / "empty").mkdir()

    for directory, said in (
        (tmp_path / "empty", "holds no report folder"),
        (tmp_path / "nowhere", "no such directory"),
        (four[0], "this is a report folder"),
    ):
        with pytest.raises(UsageError, match=said):
            check(directory)
