"""Checks many sealed folders at once: each of them, and the links between them.

Each report names the manifest of the previous snapshot's report by its hash, and the folder of a sign-off or a
remediation names that of the report that it rests on. So a report that is missing between two others, was replaced
or stands in another place contradicts the report after it. A report that is missing at the end contradicts nothing:
compare the hash of the newest manifest with one that you know from elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.evidence.manifest import MANIFEST, extract_end
from pipeline.evidence.time_stamp import CLOCK_TOLERANCE
from pipeline.evidence.verification import FolderVerification, Problem, kind_without_data
from pipeline.warehouse import archive
from pipeline.wording import counted

__all__ = ["Chain", "ChainVerification", "ChainedFolder", "verify_chains"]

#: How the name of a folder begins that the program has named.
_SNAPSHOT_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class ChainedFolder:
    """One folder. ``kind`` is ``report``, ``sign-off`` or ``remediation``; ``sha256`` is that of its manifest."""

    folder: Path
    kind: str
    sha256: str
    found: FolderVerification

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def snapshot_id(self) -> str:
        """The snapshot of the folder."""
        return str(self.found.document["snapshot_id"])

    @property
    def previous(self) -> str | None:
        """The hash of the manifest that the folder is chained to; None for a first report."""
        return self.found.document["previous_manifest_sha256"]  # type: ignore[no-any-return]

    @property
    def project(self) -> tuple[str, ...]:
        """The organization and the sources: what two chains must share to be of the same project."""
        document = self.found.document
        return str(document["organization"]), *sorted(f"{row['name']} {row['url']}" for row in document["sources"])


@dataclass(frozen=True, slots=True)
class Chain:
    """The folders of one project in the order of their snapshots, and the names of what each is chained to."""

    organization: str
    sources: tuple[str, ...]
    folders: tuple[ChainedFolder, ...]
    chained_to: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ChainVerification:
    """The result for a directory. The path of a problem begins with the name of its folder.

    ``unplaced`` are the names of the folders that are in no chain, because their manifest cannot be used.
    """

    chains: tuple[Chain, ...]
    unplaced: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def folders(self) -> int:
        """The number of folders that are in a chain."""
        return sum(len(chain.folders) for chain in self.chains)

    def problems_of(self, name: str) -> list[Problem]:
        """Return the problems of one folder, those of its links included."""
        return [problem for problem in self.problems if problem.path.partition("/")[0] == name]


def verify_chains(directory: Path, verify: Callable[[Path], FolderVerification]) -> ChainVerification:
    """Check every sealed folder in a directory with ``verify``, and then the links between them.

    Raises:
        UsageError: the directory cannot be read, or holds no report folder.
    """
    problems: list[Problem] = []
    notes: dict[str, list[str]] = defaultdict(list)
    folders: list[ChainedFolder] = []
    sealed = _sealed_folders(directory)
    for folder in sealed:
        try:
            found = verify(folder)
            content = (folder / MANIFEST).read_bytes() if found.document else b""
        except UsageError as error:
            problems.append(Problem(folder.name, f"cannot be verified: {error}; {error.hint}"))
            continue
        for note in found.notes:
            notes[note].append(folder.name)
        problems += [Problem(f"{folder.name}/{each.path}", each.what, each.is_system_file) for each in found.problems]
        if not found.document:
            continue
        if not _has_links(found.document):
            problems.append(Problem(f"{folder.name}/{MANIFEST}", "does not say what the folder is chained to"))
            continue
        kind = kind_without_data(row["path"] for row in found.document["files"]) or "report"
        folders.append(ChainedFolder(folder, kind, hashlib.sha256(content).hexdigest(), found))
        problems += _name_problems(folders[-1])
    links = _Links(folders)
    placed = {each.name for each in folders}
    return ChainVerification(
        chains=tuple(links.chains()),
        unplaced=tuple(folder.name for folder in sealed if folder.name not in placed),
        problems=(*problems, *links.problems()),
        notes=(*(f"{_listed(names)}: {note}" for note, names in notes.items()), *links.copies),
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {counted(len(names) - 1, 'other folder')}"


def _name_problems(each: ChainedFolder) -> Iterator[Problem]:
    """Check that a folder has not the name of another snapshot; any other name may be the reader's own."""
    named = _SNAPSHOT_ID.match(each.name)
    if named and named[0] != each.snapshot_id:
        yield Problem(each.name, f"has the name of another snapshot: it holds the {each.kind} of {each.snapshot_id}")


def _sealed_folders(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise UsageError(
            "there is no such directory", where=str(directory), hint="name a directory that holds report folders"
        )
    if (directory / MANIFEST).exists():
        raise UsageError(
            "this is a report folder, not a directory of them",
            where=str(directory),
            hint="name the directory that holds it, or leave --chain out",
        )
    try:
        found = [
            path
            for path in sorted(directory.iterdir())
            if not path.name.startswith(".")
            and path.is_dir()
            and ((path / MANIFEST).exists() or (path / "inputs").is_dir())
        ]
    except OSError as error:
        raise UsageError(
            f"the directory cannot be read: {error.strerror}", where=str(directory), hint="check its permissions"
        ) from error
    if not found:
        raise UsageError(
            "the directory holds no report folder", where=str(directory), hint="name the directory of the reports"
        )
    return found


def _has_links(document: Mapping[str, Any]) -> bool:
    """Return whether the parts of a manifest that are read here have their form: it may come from anywhere."""
    sources = document["sources"]
    return (
        isinstance(document["snapshot_id"], str)
        and isinstance(document["previous_manifest_sha256"], str | None)
        and isinstance(sources, list)
        and all(isinstance(row, dict) and {"name", "url"} <= row.keys() for row in sources)
    )


class _Links:
    """The links between folders. A copy of a folder is left out, and named in ``copies``."""

    def __init__(self, folders: Sequence[ChainedFolder]) -> None:
        self.copies: list[str] = []
        self._by_sha256: dict[str, ChainedFolder] = {}
        for each in sorted(folders, key=lambda each: (each.snapshot_id, each.kind != "report", each.name)):
            first = self._by_sha256.setdefault(each.sha256, each)
            if first is not each:
                self.copies.append(f"{each.name} is a copy of {first.name}")
        self._folders = list(self._by_sha256.values())
        self._reports = [each for each in self._folders if each.kind == "report"]
        self._followers: dict[str, list[ChainedFolder]] = defaultdict(list)
        for each in self._reports:
            if each.previous is not None:
                self._followers[each.previous].append(each)

    def chains(self) -> Iterator[Chain]:
        """Yield the folders of each project: those that are linked, or have the same organization and sources."""
        groups: list[list[ChainedFolder]] = []
        for each in self._folders:
            near = [group for group in groups if any(self._belong_together(each, other) for other in group)]
            groups = [group for group in groups if group not in near]
            groups.append([other for group in near for other in group] + [each])
        for group in sorted(groups, key=lambda group: group[0].project):
            newest = group[-1].found.document
            yield Chain(
                str(newest["organization"]),
                tuple(str(row["name"]) for row in newest["sources"]),
                tuple(sorted(group, key=self._folders.index)),
                {
                    each.name: self._by_sha256[each.previous].name
                    for each in group
                    if each.previous in self._by_sha256 and each.previous is not None
                },
            )

    def _belong_together(self, one: ChainedFolder, other: ChainedFolder) -> bool:
        return one.project == other.project or one.previous == other.sha256 or other.previous == one.sha256

    def problems(self) -> Iterator[Problem]:
        """Yield what contradicts an unbroken chain, in the order of the snapshots."""
        first: dict[tuple[str, ...], ChainedFolder] = {}
        for each in self._folders:
            if each.kind != "report":
                yield from self._basis_problems(each)
                continue
            if each.previous is None:
                begun = first.setdefault(each.project, each)
                if begun.snapshot_id != each.snapshot_id:
                    yield Problem(
                        each.name, f"begins a second chain of the same sources; the first begins with {begun.name}"
                    )
            elif (previous := self._by_sha256.get(each.previous)) is None:
                yield self._missing(each, each.previous)
            else:
                yield from self._order_problems(each, previous)
            followers = {follower.snapshot_id: follower.name for follower in self._followers[each.sha256]}
            if len(followers) > 1:
                names = " and ".join(followers.values())
                yield Problem(each.name, f"is followed by more than one report: {names}")

    def _basis_problems(self, each: ChainedFolder) -> Iterator[Problem]:
        """Check the report that a sign-off or a remediation rests on."""
        basis = self._by_sha256.get(each.previous or "")
        if basis is not None:
            if basis.kind != "report" or basis.snapshot_id != each.snapshot_id:
                yield Problem(each.name, f"rests on {basis.name}, which is not a report of its snapshot")
            return
        sha256 = f"the SHA-256 of its manifest is {each.previous}"
        same = [report.name for report in self._reports if report.snapshot_id == each.snapshot_id]
        if same:
            yield Problem(
                same[0], f"has been replaced, or written again: {each.name} rests on another report; {sha256}"
            )
        else:
            yield Problem(each.name, f"rests on a report that is missing; {sha256}")

    def _missing(self, each: ChainedFolder, wanted: str) -> Problem:
        """Say what has become of the previous report: missing, or another one is in its place."""
        sha256 = f"the SHA-256 of its manifest is {wanted}"
        earlier = [
            report
            for report in self._reports
            if report.snapshot_id < each.snapshot_id
            and report.project == each.project
            and not self._followers[report.sha256]
        ]
        if not earlier:
            return Problem(each.name, f"is chained to an earlier report that is missing; {sha256}")
        last, before = earlier[-1], archive.previous_snapshot(each.folder)
        if before == last.snapshot_id:
            what = f"has been replaced, or written again: {each.name} is chained to another report; {sha256}"
            return Problem(last.name, what)
        perhaps = f" (perhaps that of snapshot {before})" if before and before > last.snapshot_id else ""
        return Problem(
            each.name,
            f"is chained to a report that is missing: one after {last.name}{perhaps}, or the one that "
            f"{last.name} has replaced; {sha256}",
        )

    def _order_problems(self, each: ChainedFolder, previous: ChainedFolder) -> Iterator[Problem]:
        """Check that the previous report is earlier."""
        if previous.kind != "report":
            yield Problem(each.name, f"is chained to {previous.name}, which is not a report")
        elif previous.snapshot_id >= each.snapshot_id:
            yield Problem(each.name, f"is out of order: it is chained to {previous.name}, which is not earlier")
        stamp, ended = each.found.time_stamp.stamp, extract_end(previous.found.document)
        if stamp is not None and ended is not None and stamp.stamped_at < ended - CLOCK_TOLERANCE:
            yield Problem(
                each.name,
                f"is out of order: it is time-stamped {stamp.stamped_at:%Y-%m-%d %H:%M:%S} UTC, before the extract "
                f"ended of {previous.name}, which it is chained to",
            )
