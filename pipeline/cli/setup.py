"""``init`` writes a configuration; ``check`` tests it and every source."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import Terminal
from pipeline.errors import UsageError
from pipeline.settings import DEFAULT_PATH

__all__ = ["register"]

_CONFIGURATION = """\
# Configuration of sisense-access-review. Secrets do not belong here: see [sources.prod].
# Relative paths are relative to this file.

[organization]
name = "Example Corp"
email_domains = ["example.com"]         # all other e-mail domains are external

[warehouse]
database = "access-review.duckdb"
# engine = "spark"                      # run the models on a Spark Connect server
# engine_url = "sc://spark.example.com:15002"
# lake = "s3://bucket/access-review"    # or a folder; both sides read and write Parquet files there

[reports]
directory = "out"
# rows_per_table = 200                  # rows of a long table in the PDF; the CSV files have all rows

[sources.prod]                          # 'prod' is the name of this source in every row
kind = "sisense"
url = "https://bi.example.com"          # with a tenant: https://bi.example.com/tenant
username = "svc-access-review"          # set its password in ACCESS_REVIEW_PROD_PASSWORD; or delete this
                                        # line and set a token in ACCESS_REVIEW_PROD_TOKEN; or append
                                        # _FILE to either, and set the path of a file with the secret
# api = "auto"                          # "auto", "v1" or "v0.9"
# objects = "auto"                      # dashboards, models and row rules: "auto" reads what the instance
                                        # gives, true also warns of what it does not give, false reads none
# page_size = 500                       # most rows in one request; a lower limit of the server is detected
# concurrency = 4                       # requests at the same time
# ca_bundle = "ca.pem"                  # a private certificate authority
# timeout_seconds = 60

# [sources.hr_app]                      # any other application, from files that it exports:
# kind = "files"                        # 'access-review init --files hr_app' writes an example
# path = "hr_app"

# [roster]                              # the people: an export from HR or the directory
# path = "people.csv"                   # only the column 'email' is required
# preset = "entra"                      # the product that exported it: "entra", "okta", "google",
                                        # "workday" or "bamboohr"
# source = "idp"                        # instead of a file: a source of kind "scim", "okta" or "entra"

# [roster.columns]                      # headings of the file that differ from the usual ones
# email = "Work Email"

[policy]
directory = "policy"                    # your role ranks, registers and exceptions, one CSV file each
# default_owner = "ciso@example.com"    # who is to fix findings that have no other owner

# [due_days]                            # how many days after it was first seen a finding is due
# critical = 1
# high = 7
# medium = 30
# low = 90

# [web]                                 # the page on which reviewers decide: 'access-review review serve'
# base_url = "https://reviews.example.com"  # its address as reviewers see it
# owners = ["ciso@example.com"]         # who may see the progress of a campaign
# link_days = 14                        # how long a link in a mail is valid

# [web.oidc]                            # sign-in with OpenID Connect, beside links; set the client secret in
# issuer = "https://id.example.com"     # ACCESS_REVIEW_OIDC_SECRET
# client_id = "access-review"

# [mail]                                # without a server, mails are written to files for you to send
# from = "Access reviews <access-review@example.com>"
# smtp_url = "smtp://mail.example.com:587"  # STARTTLS is required; or smtps://mail.example.com
# username = "access-review"            # set its password in ACCESS_REVIEW_SMTP_PASSWORD

# [cadence]                             # how often to review: "monthly", "quarterly" or "yearly"
# privileged = "monthly"
# external = "quarterly"
# all = "yearly"

# [licence_price]                       # what one seat costs, for an estimate of what unused seats cost
# admin = 1200
# designer = 800
# viewer = 300
# currency = "EUR"

# [evidence]                            # an authority that says when each report was sealed (RFC 3161);
# timestamp_url = "http://timestamp.example.com"  # only the hash of the manifest is sent to it

# [rules.RULE_ID]                       # 'access-review rules list' shows all rules and their parameters
# enabled = false                       # or severity = "high", or a parameter of the rule
"""

_POLICY = {
    "roles.csv": "role_name,rank,privileged,source\n",
    "privileged_groups.csv": "group_name\n",
    "service_accounts.csv": "user_name,email,owner_email,purpose,review_by\n",
    "break_glass.csv": "user_name,email,owner_email,purpose\n",
    "sod_pairs.csv": "left_type,left_name,right_type,right_name,reason\n",
    "exceptions.csv": "rule_id,source,subject,reason,approved_by,expires_on\n",
    "out_of_scope.csv": "source,subject,reason,approved_by\n",
    "owners.csv": "entitlement_type,entitlement_name,reviewer_email\n",
    "objects.csv": "object,sensitivity,owner_email,source,object_type\n",
}


#: One row for each table of an application that is read from files.
_EXAMPLES = {
    "accounts": "1001,ann,ann@example.com,Ann,Example,active,2024-01-31,2026-01-30T08:15:00Z,human\n",
    "entitlements": "role,role:clerk,Payroll clerk,Enters and changes salaries,false\n",
    "grants": "1001,role:clerk,2024-02-01,\n",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: access-review init")(init)
    app.command(epilog="Example: access-review check")(check)


def init(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The folder to write to, or a file whose name ends in .toml.")
    ] = DEFAULT_PATH,
    files: Annotated[
        str | None,
        typer.Option(
            "--files", metavar="APP", help="Write example files of this application instead of a configuration."
        ),
    ] = None,
) -> None:
    """Write a commented configuration and an empty policy folder.

    With --files, write the files that an application is read from. Existing files are never overwritten.
    """
    terminal: Terminal = context.obj
    if files is not None:
        _init_files(terminal, files, path if path.is_dir() or not path.suffix else path.parent)
        return
    is_file = not path.is_dir() and (path.suffix == ".toml" or path.exists())
    configuration = path if is_file else path / DEFAULT_PATH.name
    policy = {configuration.parent / "policy" / name: text for name, text in _POLICY.items()}
    contents = {configuration: _CONFIGURATION, **policy}
    _write(terminal, contents)
    command = "access-review check" + ("" if configuration == DEFAULT_PATH else f" --config {configuration}")
    terminal.say(f"next: set url and username in it, set the password in the environment, then run '{command}'")


def _write(terminal: Terminal, contents: dict[Path, str]) -> None:
    for file in contents:
        if file.exists() or file.is_symlink():
            raise UsageError("the file already exists", where=str(file), hint="name another path, or remove the file")
    try:
        for file, text in contents.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the file cannot be written: {error.strerror}", where=str(file), hint="name another path"
        ) from error
    terminal.result("\n".join(map(str, contents)), {"files": list(contents)})


def _init_files(terminal: Terminal, application: str, folder: Path) -> None:
    """Write the files of one application, each with an example row, and say how to name them in the configuration."""
    from pipeline.settings.reader import SOURCE_NAME
    from pipeline.sources.files.tables import TABLES

    if not SOURCE_NAME.fullmatch(application):
        raise UsageError(
            f"'{application}' cannot be the name of a source",
            where="--files",
            hint="use a-z, 0-9, '-' and '_', a letter first, as in hr_app",
        )
    target = folder / application
    contents = {
        target / f"{table.name}.csv": f"{','.join(table.columns)}\n{_EXAMPLES[table.name]}" for table in TABLES
    }
    listed = [{"name": file.name, "rows": 1} for file in contents]
    manifest = {
        "application": application,
        "extracted_at": "2026-01-31T08:00:00Z",
        "extracted_by": "",
        "files": listed,
    }
    contents[target / "manifest.json"] = json.dumps(manifest, indent=2) + "\n"
    _write(terminal, contents)
    terminal.say(
        "next: replace the example rows by an export, set its row counts in manifest.json, and add these lines "
        f'to the configuration:\n\n[sources.{application}]\nkind = "files"\npath = {json.dumps(str(target))}\n'
    )


def check(context: typer.Context) -> None:
    """Test configuration, policy, roster and every source.

    Nothing is changed. Everything is tested even if something fails.
    """
    terminal: Terminal = context.obj
    items = []
    for item in terminal.project().checks():
        items.append(item)
        mark = {"ok": "ok      ", "warning": "warning ", "failed": "FAILED  "}[item.result]
        hint = f"\n        hint: {item.hint}" if item.hint else ""
        terminal.result(f"{mark}{item.name}: {item.detail}{hint}", [asdict(item) for item in items])
    from pipeline.results import CheckResult

    error = CheckResult(tuple(items)).error()
    if error is not None:
        raise error
