"""The help of every command, as a terminal of 80 columns shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.cli.main import command_line

GLOBAL = ("--config", "--quiet", "--verbose", "--debug", "--json", "--log-format")


def contexts(command: Any, parent: Any = None, name: str = "access-review") -> Iterator[Any]:
    context = command.context_class(command, info_name=name, parent=parent, **command.context_settings)
    yield context
    for below, child in getattr(command, "commands", {}).items():
        yield from contexts(child, context, below)


ALL = list(contexts(command_line()))
EVERY = pytest.mark.parametrize("context", ALL, ids=[context.command_path for context in ALL])


def help_of(context: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    return str(context.command.get_help(context))


@EVERY
def test_no_line_is_cut_or_wider_than_the_terminal(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = help_of(context, monkeypatch)

    assert max(map(len, shown.splitlines())) <= 80
    described = "\n".join(line for line in shown.splitlines() if not line.startswith("Usage:"))
    assert not re.search(r"\w;?\.\.\.", described), described
    assert "…" not in shown


@EVERY
def test_every_command_takes_and_documents_the_global_options(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = help_of(context, monkeypatch)
    taken = {name for option in context.command.params for name in option.opts}

    assert taken >= set(GLOBAL)
    assert [name for name in GLOBAL if name not in shown] == []


@EVERY
def test_options_are_named_the_same_way_everywhere(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = help_of(context, monkeypatch)
    options = [option for option in context.command.params if option.param_type_name == "option"]

    assert [name for option in options for name in option.secondary_opts] == [], "a flag has a --no- twin"
    assert "--output" not in shown
    for option in options:
        names = set(option.opts)
        assert ("--out" in names) <= any("--output" in other.opts and other.hidden for other in options)
        assert option.multiple == ("(repeatable)" in (option.help or "")), names
        assert option.help, names
