"""Options: where they may stand, and what they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.e2e.conftest import Outcome, run_command

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--config", "here.toml", "--json", "snapshots", "list"),
        ("snapshots", "--config", "here.toml", "--json", "list"),
        ("snapshots", "list", "--config", "here.toml", "--json"),
        ("--config", "nowhere.toml", "snapshots", "list", "--json", "--config", "here.toml"),
    ],
    ids=" ".join,
)
def test_global_options_work_before_and_after_the_command(
    built: Place, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    here = f'[warehouse]\ndatabase = "{built.folder / "access-review.duckdb"}"\n'
    (tmp_path / "here.toml").write_text(here, encoding="utf-8")

    listed = run_command(tmp_path, *arguments)

    assert listed.code == 0, listed.stderr
    assert [row["completeness"] for row in listed.result] == ["FULL"]


def test_quiet_and_verbose_work_after_the_command(ran: tuple[Place, Outcome], copied: Place) -> None:
    _, quiet = ran
    verbose = copied.ok("build", "--verbose")

    assert "build ..." not in quiet.stderr
    assert "build ..." in verbose.stderr
    assert "build: graph.accounts" in verbose.stderr


def test_a_log_is_one_json_object_a_line_without_bars_or_secrets(built: Place, copied: Place) -> None:
    built_again = copied.ok("build", "--log-format", "json", "--verbose")
    failed = run_command(built.folder, "--log-format=json", "--debug", "build", "--snapshot", "none")
    wrong = run_command(built.folder, "build", "--no-such-option", "--log-format", "json")
    neither = run_command(built.folder, "build", "--log-format", "xml")

    lines = [[json.loads(line) for line in each.stderr.splitlines()] for each in (built_again, failed, wrong)]
    assert all(list(line)[:3] == ["time", "level", "event"] for each in lines for line in each)
    assert {"stage", "progress"} <= {line["event"] for line in lines[0]}
    assert [(line["level"], line["event"]) for line in lines[1]][-2:] == [("error", "error"), ("error", "traceback")]
    error = next(line for line in lines[1] if line["event"] == "error")
    assert (error["message"], error["exit_code"]) == ("there is no snapshot 'none'", 4)
    assert lines[2][-1]["exit_code"] == 2
    assert (neither.code, neither.stderr.splitlines()[0].startswith("error:")) == (2, True)


def test_arguments_after_two_dashes_are_not_options(built: Place) -> None:
    outcome = built("rules", "show", "--", "--json")

    assert outcome.code == 2
    assert outcome.stdout == ""


def test_run_writes_only_the_requested_formats(written: frozenset[str]) -> None:
    assert {"population.csv", "access-review.html"} <= written
    assert not written & {"access-review.pdf", "access-review.xlsx"}


def test_run_rejects_an_unknown_format_before_it_contacts_a_source(place: Place) -> None:
    outcome = place("run", "--format", "csv,docx")

    assert outcome.code == 2
    assert "'docx' is not a format" in outcome.stderr
    assert not (place.folder / "access-review.duckdb").exists()


def test_init_writes_into_an_existing_folder(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "notes.txt").write_text("kept", encoding="utf-8")

    there = run_command(tmp_path, "init", "team")
    here = run_command(tmp_path, "init", ".")
    again = run_command(tmp_path, "init", "team/")

    assert (there.code, here.code, again.code) == (0, 0, 2)
    assert "access-review check --config team/access-review.toml" in there.stderr
    assert "team/access-review.toml" in again.stderr
    for folder in (tmp_path, tmp_path / "team"):
        assert (folder / "access-review.toml").is_file()
        assert (folder / "policy" / "exceptions.csv").is_file()
    assert (tmp_path / "team" / "notes.txt").read_text(encoding="utf-8") == "kept"


def test_init_never_overwrites_a_policy_file(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    mine = tmp_path / "policy" / "exceptions.csv"
    mine.write_text("mine", encoding="utf-8")

    refused = run_command(tmp_path, "init", ".")

    assert refused.code == 2
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "access-review.toml").exists()


def test_init_writes_files_of_an_application_that_an_extract_finds_complete(tmp_path: Path) -> None:
    written = run_command(tmp_path, "init", "--files", "hr_app")
    (tmp_path / "access-review.toml").write_text(
        '[sources.hr_app]\nkind = "files"\npath = "hr_app"\n', encoding="utf-8"
    )
    extracted = run_command(tmp_path, "extract", "--json")
    again = run_command(tmp_path, "init", "--files", "hr_app")
    unusable = run_command(tmp_path, "init", "--files", "HR App")

    assert [written.code, extracted.code, again.code, unusable.code] == [0, 0, 2, 2]
    assert extracted.result["completeness"] == "FULL"
    names = {path.name for path in (tmp_path / "hr_app").iterdir()}
    assert names == {"accounts.csv", "entitlements.csv", "grants.csv", "manifest.json"}
    assert "the file already exists" in again.stderr
    assert '\n[sources.hr_app]\nkind = "files"\npath = "hr_app"\n' in written.stderr


def test_report_shows_the_named_snapshot(copied: Place) -> None:
    place = copied
    [first] = [row["snapshot_id"] for row in place.ok("snapshots", "--json").result]
    second = place.ok("extract", "--json").result["snapshot_id"]

    current = place.ok("report", "--format", "csv")
    named = place.ok("report", "--format", "csv", "--snapshot", second)
    earlier = place.ok("report", "--format", "csv", "--snapshot", first)
    unknown = place("report", "--format", "csv", "--snapshot", "20200101T000000Z-0000")

    folders = [Path(outcome.stdout.splitlines()[0]).name for outcome in (current, named, earlier)]
    assert folders == [first, second, first]
    assert f"this report is of snapshot {first}; the newest, {second}, is not the current build" in current.stderr
    assert "this report is of" not in named.stderr + earlier.stderr
    assert unknown.code == 4


def test_the_alias_of_out_works(built: Place, tmp_path: Path) -> None:
    for option in ("--out", "--output"):
        file = tmp_path / f"{option}.csv"
        built.ok("sql", "select 1 as one", "--format", "csv", option, str(file))
        assert file.read_text(encoding="utf-8") == "one\n1\n"
    built.ok("remediate", "plan", "--stale-days", "90", "--max-share", "100", "--output", str(tmp_path / "p.json"))
    assert json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))["changes"]


def test_snapshots_show_without_an_id_shows_the_newest(built: Place) -> None:
    [known] = built.ok("snapshots", "--json").result

    shown = built.ok("snapshots", "show", "--json").result
    assert shown["snapshot_id"] == known["snapshot_id"]
    states = {each["state"]: each["lists"] for each in shown["objects"]}
    assert "dashboards, folders, mailed reports, models, row rules" in states["FULL"]
    gates = {row["check_id"]: row["is_gate"] for row in shown["checks"]}
    assert (gates["end_proven"], gates["seats_agree"]) == (True, False)
    lines = [line.split() for line in built.ok("snapshots", "show").stdout.splitlines()]
    assert {line[1]: line[3] for line in lines if line[0:1] == ["prod"]}["seats_agree"] == "no"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_offers_commands_and_options(tmp_path: Path, shell: str) -> None:
    def completed(words: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "_ACCESS_REVIEW_COMPLETE": f"complete_{shell}"}
        environment |= {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        environment |= {"_TYPER_COMPLETE_ARGS": words}
        done = subprocess.run(
            [sys.executable, "-m", "pipeline"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    assert "remediate" in completed("access-review rem")
    assert "verify" in completed("access-review remediate ver")
    assert "--add-group" in completed("access-review users update --add")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_installed_in_the_home_of_the_user(tmp_path: Path, shell: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "SHELL": f"/bin/{shell}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--install-completion", shell],
        env={**environment, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("_ACCESS_REVIEW_COMPLETE" in path.read_text(encoding="utf-8") for path in written)


MISTAKES = [
    (("revew",), "error: No such command 'revew'. Did you mean 'review'?"),
    (("snapshots", "prune"), "error: Missing option '--keep-days'."),
    (("sql",), "error: give exactly one query: as text, with --file or with --saved"),
    (("watch",), "error: neither --every nor --once is given"),
    (("report", "--export", "oskal"), "error: --export: there is no export 'oskal'"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_a_mistake_in_the_command_line_is_told_without_its_place(
    built: Place, arguments: tuple[str, ...], said: str
) -> None:
    assert built(*arguments).stderr.splitlines()[0] == said
