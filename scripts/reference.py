"""Writes the reference pages of ``docs/reference`` from the code: ``make docs-reference``.

Each page is made from what the program itself uses: the settings, the command line, the rules, the errors, the
manifest and the public API. ``tests/docs`` checks that the committed pages are current. The page of tables is
``docs/catalog.md``, which ``access-review catalog`` writes.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pipeline
from pipeline import errors, inputs
from pipeline.cli.main import command_line
from pipeline.evidence import manifest
from pipeline.settings import Settings
from pipeline.warehouse import rules

__all__ = ["PAGES", "main", "write"]

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
_MADE = "<!-- Made by 'make docs-reference'. Change the code instead. -->"
_TYPES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    tuple: "list of texts",
}


def _page(title: str, *paragraphs: str) -> Iterator[str]:
    yield f"# {title}"
    yield ""
    yield _MADE
    for paragraph in paragraphs:
        yield ""
        yield paragraph


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


# ------------------------------------------------------------------------------------------------ configuration

_SECRETS = """\
| variable | secret |
|---|---|
| `ACCESS_REVIEW_PROD_PASSWORD` | the password for `username` of the source `prod` |
| `ACCESS_REVIEW_PROD_TOKEN` | instead of it, an API token; for kind `scim` and `okta` the token |
| `ACCESS_REVIEW_PROD_SCIM_TOKEN` | the token of the endpoint in `scim_url` |
| `ACCESS_REVIEW_PROD_PRIVATE_KEY` | for kind `okta` with `client_id`: the private key, PEM |
| `ACCESS_REVIEW_PROD_CLIENT_SECRET` | for kind `entra`: the client secret |
| `ACCESS_REVIEW_SIGNING_KEY_FILE` | the path of the key that signs reports, see `access-review keygen` |
| `ACCESS_REVIEW_SMTP_PASSWORD` | the password for `username` in `[mail]` |
| `ACCESS_REVIEW_OIDC_SECRET` | the client secret of `[web.oidc]` |
| `ACCESS_REVIEW_ENGINE_TOKEN` | the token of the Spark Connect server in `engine_url` |
| `ACCESS_REVIEW_NEW_USER_PASSWORD` | the first password of an account that `users create` makes |
| `ACCESS_REVIEW_WEBHOOK_SECRET` | what signs the events of `watch --webhook` |"""


def configuration() -> Iterator[str]:
    """Yield the lines of the page of configuration keys."""
    yield from _page(
        "Configuration keys",
        "The configuration is one TOML file, by default `access-review.toml`; `--config` or `ACCESS_REVIEW_CONFIG` "
        "names another. `access-review init` writes one with comments. "
        "Unknown keys are errors. Relative paths are relative to the file.",
        "## Secrets",
        "Secrets come from the environment, never from the file. `PROD` stands for the name of the source in upper "
        "case. With `_FILE` appended, a variable names a file that holds the secret.",
        _SECRETS,
    )
    hints = typing.get_type_hints(Settings, include_extras=True)
    for field in dataclasses.fields(Settings):
        section = next((kind for kind in _kinds(hints[field.name]) if dataclasses.is_dataclass(kind)), None)
        if section is not None:
            yield from _section(section, "sources.NAME" if field.name == "sources" else field.name)
    yield from ("", "## [rules.RULE_ID]", "")
    yield "The keys of every rule are `enabled` and `severity`. Its parameters are listed with [the rules](rules.md)."


def _kinds(hint: Any) -> Iterator[Any]:
    yield hint
    for argument in typing.get_args(hint):
        yield from _kinds(argument)


def _section(kind: Any, name: str) -> Iterator[str]:
    yield from ("", f"## [{name}]", "")
    yield _prose(_first_paragraph(kind))
    hints = typing.get_type_hints(kind, include_extras=True)
    rows, below = [], []
    for field in dataclasses.fields(kind):
        if name == "sources.NAME" and field.name == "name":
            continue
        nested = next((each for each in _kinds(hints[field.name]) if dataclasses.is_dataclass(each)), None)
        if nested is not None:
            below.append((nested, f"{name}.{field.name}"))
            continue
        key = field.metadata.get("key", field.name)
        rows.append((f"`{key}`", _type(hints[field.name]), _default(field), _description(hints[field.name])))
    yield from _table(("key", "value", "default", "meaning"), rows)
    for nested, nested_name in below:
        yield from _section(nested, nested_name)


def _description(hint: Any) -> str:
    return next((text for text in typing.get_args(hint)[1:] if typing.get_origin(hint) is Annotated), "")


def _type(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in {types.UnionType, typing.Union}:
        return _type(next(each for each in arguments if each is not types.NoneType))
    if origin is Literal:
        return ", ".join(f'`"{each}"`' if isinstance(each, str) else f"`{str(each).lower()}`" for each in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table of texts"
    return _TYPES[origin or hint]


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING:
        return "" if field.default_factory is not dataclasses.MISSING else "required"
    if value is None or value in ((), ""):
        return ""
    return f'`"{value}"`' if isinstance(value, str | Path) else f"`{str(value).lower()}`"


# ----------------------------------------------------------------------------------------------------- commands


def commands() -> Iterator[str]:
    """Yield the lines of the page of commands."""
    root = command_line()
    context = root.context_class(root, info_name="access-review", **root.context_settings)
    yield from _page(
        "Commands",
        "`access-review COMMAND --help` shows the same. Results go to stdout, everything else to stderr. "
        "[Exit codes](exit-codes.md) are the same for every command.",
        "## Global options",
        "These work before and after every command.",
    )
    yield from _parameters([option for option in root.params if not option.hidden], context)
    for child in _below(root, context):
        yield from _command(child)


def _below(group: Any, context: Any) -> Iterator[Any]:
    for name, child in group.commands.items():
        if not child.hidden:
            yield child.context_class(child, info_name=name, parent=context, **child.context_settings)


def _command(context: Any) -> Iterator[str]:
    command = context.command
    is_group = hasattr(command, "commands")
    yield from (
        "",
        f"{'##' if context.parent.parent is None else '###'} {context.command_path.partition(' ')[2]}",
        "",
    )
    yield _prose(inspect.cleandoc(command.help or ""))
    if not is_group or command.invoke_without_command:
        usage = " ".join(piece for piece in command.collect_usage_pieces(context) if "COMMAND" not in piece)
        yield from ("", "```", f"{context.command_path} {usage}".strip(), "```")
        yield from _parameters([each for each in command.params if not each.hidden], context)
    if command.epilog:
        yield from ("", f"{command.epilog.replace('Example: ', 'Example: `')}`")
    if is_group:
        for child in _below(command, context):
            yield from _command(child)


def _parameters(parameters: list[Any], context: Any) -> Iterator[str]:
    records = [each.get_help_record(context) for each in parameters]
    # An argument is followed by its type in Python, which is of no use here.
    rows = [(f"`{record[0].strip().partition(' <')[0]}`", record[1]) for record in records if record is not None]
    if rows:
        yield from _table(("option", "meaning"), rows)


# -------------------------------------------------------------------------------------------------------- rules


def rule_pages() -> Iterator[str]:
    """Yield the lines of the page of rules."""
    found = rules.in_force(inputs.models(), {}, where="defaults")
    yield from _page(
        "Rules",
        f"The {len(found)} rules, with their defaults. `access-review rules list` shows them with the parameters in "
        "force. A rule has a result for each subject of its population: passed, failed or not evaluated. "
        "[Change a rule](../rules.md) says how to set a parameter, switch a rule off or write one.",
    )
    yield from _table(
        ("rule", "severity", "finds"),
        [(f"[`{each.model.name}`](#{each.model.name})", each.model.severity, each.model.title) for each in found],
    )
    for each in found:
        yield from _rule(each)


def _rule(rule: rules.RuleInForce) -> Iterator[str]:
    model = rule.model
    facts = [
        ("title", model.title),
        ("severity", model.severity),
        ("parameters", ", ".join(f"`{key} = {_toml(value)}`" for key, value in rule.parameters.items()) or "none"),
        ("controls", rule.controls_text),
        ("needs", (model.needs or "nothing but the accounts").replace("_", " ")),
        ("reads", ", ".join(f"`{table}`" for table in model.reads)),
        ("what to do", model.remediation),
    ]
    yield from ("", f"## {model.name}", "", model.summary)
    yield from _table(("", ""), facts)
    yield from ("", '<details markdown="1"><summary>SQL</summary>', "", "```sql")
    yield f"-- population\n{inspect.cleandoc(model.population)}\n\n-- failed and not evaluated\n{model.sql.strip()}"
    yield from ("```", "", "</details>")


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


# ------------------------------------------------------------------------------- exit codes, manifest, Python API


def exit_codes() -> Iterator[str]:
    """Yield the lines of the page of exit codes."""
    yield from _page(
        "Exit codes",
        "The same for every command. Where several apply, the first of this order wins: "
        + ", ".join(map(str, errors._PRECEDENCE))
        + ".",
        "An error has two lines on stderr, `error:` and `hint:`. With `--json` both are in the document. "
        "[My extract failed](../failed.md) and [My extract is PARTIAL](../partial.md) say what to do.",
    )
    kinds = sorted(_below_error(errors.AccessReviewError), key=lambda kind: (kind.exit_code, kind.__name__))
    rows = [("0", "", "Done.")]
    rows += [(str(kind.exit_code), f"`{kind.__name__}`", _prose(_first_paragraph(kind))) for kind in kinds]
    rows += [("70", "", "A bug in the program; the message says how to report it."), ("130", "", "Interrupted.")]
    yield from _table(("exit code", "error in Python", "meaning"), rows)


def _below_error(kind: type[errors.AccessReviewError]) -> Iterator[type[errors.AccessReviewError]]:
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from _below_error(each)


def manifest_fields() -> Iterator[str]:
    """Yield the lines of the page of the manifest."""
    yield from _page(
        "Manifest",
        "`manifest.json` lists and hashes every file of a report folder, and says what the report was made from. "
        "Hashes are SHA-256 in hexadecimal. Times are UTC. The fields come in this order.",
    )
    yield from _table(("field", "content"), [(f"`{name}`", text) for name, text in manifest.FIELDS.items()])
    yield from ("", "Some manifests also have these, before `files`:")
    yield from _table(("field", "content"), [(f"`{name}`", text) for name, text in manifest.OPTIONAL_FIELDS.items()])
    yield from ("", "`data_sha256` can be checked in a report folder without this program:", "")
    yield from ("```", manifest.SHELL_CHECK, "```")
    yield ""
    yield "What a hash, the signature and the chain show, and what not, is in [the threat model](../threat-model.md)."


def python_api() -> Iterator[str]:
    """Yield the lines of the page of the Python API."""
    yield from _page(
        "Python API",
        "Everything that `import pipeline` offers. [Use it from Python](../library.md) shows it at work.",
    )
    for name in sorted(pipeline.__all__):
        value = getattr(pipeline, name)
        if callable(value) and not (isinstance(value, type) and issubclass(value, Exception)):
            yield from _documented(name, value)
    yield from ("", "## Errors", "", "The tree, with the exit code of the command line for each:", "", "```")
    tree = inspect.getdoc(errors) or ""
    yield tree.partition("::\n\n")[2].partition("\n\n")[0].replace("\n    ", "\n").strip()
    yield "```"


def _documented(name: str, value: Any) -> Iterator[str]:
    yield from ("", f"## {name}", "")
    if not isinstance(value, type):
        yield from ("```python", _signature(name, value), "```", "", _docstring(value))
        return
    yield _docstring(value)
    if dataclasses.is_dataclass(value):
        fields = [(f"`{field.name}`", f"`{field.type}`") for field in dataclasses.fields(value)]
        yield from _table(("field", "type"), fields)
    for each, member in vars(value).items():
        if each.startswith("_") or not (callable(member) or isinstance(member, property)):
            continue
        function = member.fget if isinstance(member, property) else member
        shown = each if isinstance(member, property) else _signature(each, member)
        yield from ("", f"### {name}.{each}", "", "```python", shown, "```", "", _docstring(function))


def _signature(name: str, function: Any) -> str:
    shown = str(inspect.signature(function)).replace("'", "")
    return name + re.sub(r"\(self(?:, )?", "(", shown, count=1)


def _docstring(value: Any) -> str:
    """Return a docstring as Markdown: its sections become lists."""
    text = inspect.getdoc(value) or ""
    body, found, raised = text.partition("\nRaises:\n")
    body, has_fields, fields = body.partition("\nAttributes:\n")
    parts = [_prose(body.strip())]
    if has_fields:
        parts.append(_items(fields))
    if found:
        parts += ["Raises:", _items(raised)]
    return "\n\n".join(parts)


def _items(section: str) -> str:
    items = re.split(r"\n(?=\S)", inspect.cleandoc(section))
    pairs = [item.partition(": ") for item in items if item.strip()]
    return "\n".join(f"- `{name}`: {_prose(' '.join(text.split()))}" for name, _, text in pairs)


def _first_paragraph(value: Any) -> str:
    return " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())


def _prose(text: str) -> str:
    """Return the text of a docstring as Markdown."""
    text = re.sub(r":\w+:`~?(?:pipeline\.)*([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "configuration.md": configuration,
    "commands.md": commands,
    "rules.md": rule_pages,
    "exit-codes.md": exit_codes,
    "manifest.md": manifest_fields,
    "python-api.md": python_api,
}


def write(name: str) -> str:
    """Return the text of one page."""
    return "\n".join(PAGES[name]()) + "\n"


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        (FOLDER / name).write_text(write(name), encoding="utf-8")


if __name__ == "__main__":
    main()
