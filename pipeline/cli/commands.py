"""Parts that all commands share: the global options, and ``--output`` as another name of ``--out``."""

from __future__ import annotations

import copy
import inspect
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.models import DefaultPlaceholder, TyperInfo

from pipeline.cli.terminal import Terminal

__all__ = ["Command", "Commands", "Group", "assembled"]

#: The options of ``access-review`` that every command takes as well.
_GLOBAL = ("config", "quiet", "verbose", "debug", "json", "log_format")


class Command(TyperCommand):
    """A command whose help ends with the global options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the command's own options, then the global ones."""
        super().format_options(ctx, formatter)
        _write_global_options(ctx, formatter)

    def get_help_option(self, ctx: Any) -> Any:
        """Return ``--help``, which every command has besides its parameters."""
        return _quick(super().get_help_option(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the command, and name it in its JSON document."""
        _name_command(ctx)
        return super().invoke(ctx)


class Group(TyperGroup):
    """A group of commands whose help ends with the global options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the group's own options and its commands, then the global options."""
        super().format_options(ctx, formatter)
        if ctx.parent is not None:
            _write_global_options(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands without making them."""
        children: Any = self.commands
        rows = [children.listed(name) for name in children]
        listing = copy.copy(self)
        listing.commands = {command.name: command for command in rows}
        super(Group, listing).format_commands(ctx, formatter)

    def get_help_option(self, ctx: Any) -> Any:
        """Return ``--help``, which every group has besides its parameters."""
        return _quick(super().get_help_option(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run a command of the group."""
        _name_command(ctx)
        return super().invoke(ctx)


class Commands(typer.Typer):
    """A set of commands of the class :class:`Command`, in groups of the class :class:`Group`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Group, rich_markup_mode=None, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Any:
        """Return a decorator that registers a function as a command."""
        return super().command(name, **{"cls": Command, **settings})


def assembled(app: typer.Typer) -> TyperGroup:
    """Return the whole command line. Every command takes the global options too.

    A command is made when it is first used: reading the parameters of all takes a quarter of the time of ``--help``.
    """
    root = typer.main.get_command(_without_children(app))
    if not isinstance(root, Group):
        raise TypeError("the command line is a group of commands")
    options = [option for option in root.params if isinstance(option, TyperOption) and option.name in _GLOBAL]
    _complete(root, options, is_root=True)
    root.commands = _Children(app, options)
    return root


def _without_children(app: typer.Typer) -> typer.Typer:
    alone = copy.copy(app)
    alone.registered_commands, alone.registered_groups = [], []
    return alone


class _Children(dict[str, Any]):
    """The commands of a group by name, each made when it is asked for. ``listed`` makes them without parameters."""

    def __init__(self, app: typer.Typer, options: list[TyperOption]) -> None:
        commands = {
            info.name or typer.main.get_command_name(getattr(info.callback, "__name__", "")): info
            for info in app.registered_commands
        }
        groups = {str(typer.main.solve_typer_info_defaults(info).name): info for info in app.registered_groups}
        super().__init__({**commands, **groups})
        self._options = options
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(super().__getitem__(name))
        return self._made[name]

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def values(self) -> Any:
        return [self[name] for name in self]

    def items(self) -> Any:
        return [(name, self[name]) for name in self]

    def listed(self, name: str) -> TyperCommand:
        """Return what a list of the commands needs to know of one."""
        info = super().__getitem__(name)
        if isinstance(info, TyperInfo):
            text = typer.main.solve_typer_info_help(info)
        else:
            text = info.help or inspect.getdoc(info.callback) or ""
        return TyperCommand(name, help=text, short_help=_given(info.short_help), hidden=bool(_given(info.hidden)))

    def _make(self, info: Any) -> Any:
        settings: dict[str, Any] = {"pretty_exceptions_short": True, "rich_markup_mode": None}
        if not isinstance(info, TyperInfo):
            command = typer.main.get_command_from_info(info, **settings)
            _complete(command, self._options)
            return command
        alone, app = copy.copy(info), info.typer_instance
        if app is None:
            raise TypeError("a group has no commands")
        alone.typer_instance = _without_children(app)
        group = typer.main.get_group_from_info(alone, suggest_commands=True, **settings)
        _complete(group, self._options)
        group.commands = _Children(app, self._options)
        return group


def _given(value: Any) -> Any:
    return None if isinstance(value, DefaultPlaceholder) else value


def _complete(command: Any, options: list[TyperOption], *, is_root: bool = False) -> None:
    """Add the global options to a command, and ``--output`` as another name of ``--out``."""
    command.params = [_quick(parameter) for parameter in command.params]
    command.params += [_alias(option, "--output") for option in command.params if "--out" in option.opts]
    if not is_root:
        command.params += [_twin(option) for option in options]


class _Plain:
    """Converts texts, paths and choices as typer does, without pydantic, which takes a tenth of a second to import.

    typer keeps the object that converts the values of a parameter in the parameter itself, once it has made one.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of a parameter; leave other kinds of values to typer."""
        kind = param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if kind in (str, Path) and isinstance(value, str | Path):
            return kind(value)
        if kind == list[str] and isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return list(value)
        if isinstance(kind, type) and issubclass(kind, Enum) and value in [member.value for member in kind]:
            return kind(value)
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def _quick(parameter: Any) -> Any:
    if parameter is not None:
        parameter._runtime_param = _Plain()
    return parameter


def _alias(option: TyperOption, name: str) -> TyperOption:
    """Return a hidden option with another name for the same value."""
    alias = copy.copy(option)
    alias.opts, alias.hidden = [name], True
    return alias


def _twin(option: TyperOption) -> TyperOption:
    """Return a global option to use after the command. Its value wins over the one given before the command."""
    twin = copy.copy(option)
    twin.hidden, twin.expose_value = True, False
    twin.default = twin.envvar = None
    twin.callback = _override
    return twin


def _override(context: Any, option: Any, value: Any) -> None:
    if value is not None and isinstance(context.obj, Terminal):
        setattr(context.obj, option.name, value)


def _write_global_options(context: Any, formatter: Any) -> None:
    root = context.find_root()
    records = [option.get_help_record(root) for option in root.command.params if option.name in _GLOBAL]
    with formatter.section("Global options, before or after the command"):
        formatter.write_dl([record for record in records if record is not None])


def _name_command(context: Any) -> None:
    if isinstance(context.obj, Terminal):
        context.obj.command = command_name(context)


def command_name(context: Any) -> str:
    """Return the command of a context without the program's name: ``remediate plan``."""
    names = []
    while context is not None and context.parent is not None:
        names.append(context.info_name)
        context = context.parent
    return " ".join(reversed(names))
