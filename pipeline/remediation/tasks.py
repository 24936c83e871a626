"""Tasks for people: changes in applications that are read from files, which this program cannot make.

They stand in one CSV file beside the plan, and in one mail for each owner. The next file of the application closes
them: a task that it has carried out is not in the next plan.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from itertools import groupby
from pathlib import Path

from pipeline.atomic import replace_file
from pipeline.errors import UsageError
from pipeline.reporting.cells import as_text
from pipeline.wording import counted

__all__ = ["OwnerTask", "columns", "without_owner", "write"]


@dataclass(frozen=True, slots=True)
class OwnerTask:
    """One thing to do: to take an entitlement from an account, or to deactivate the account.

    ``owner_email`` is the owner of the entitlement, else of the account; None if neither is known.
    """

    owner_email: str | None
    source: str
    account_id: str
    user_name: str | None
    email: str | None
    display_name: str | None
    action: str
    entitlement_type: str | None
    entitlement_id: str | None
    entitlement_name: str | None
    reason: str | None
    decided_by: str | None
    campaign: str | None
    item_id: str | None

    @property
    def words(self) -> str:
        """Return the task as a sentence."""
        names = [name for name in (self.user_name, self.email) if name and name != self.display_name]
        account = f"{self.display_name or self.account_id} ({', '.join([*names, f'id {self.account_id}'])})"
        if self.action == "deactivate":
            return f"Deactivate {account}."
        return f"Take the {self.entitlement_type or 'entitlement'} {self.entitlement_name} from {account}."


def columns() -> tuple[str, ...]:
    """Return the columns of the task list."""
    return tuple(field.name for field in fields(OwnerTask))


def write(tasks: Sequence[OwnerTask], plan_file: Path) -> tuple[Path, ...]:
    """Write the task list beside a plan, and one mail for each owner; return the files, the list first.

    Mails of an earlier plan of that name are removed. Without tasks nothing is written.

    Raises:
        UsageError: a file cannot be written.
    """
    listed = plan_file.with_name(f"{plan_file.stem}-tasks.csv")
    mails = plan_file.with_name(f"{plan_file.stem}-mails")
    try:
        if mails.is_dir():
            for old in mails.glob("*.eml"):
                old.unlink()
        if not tasks:
            listed.unlink(missing_ok=True)
            return ()
        with replace_file(listed) as draft:
            draft.write_text(_table(tasks), encoding="utf-8")
        files = [listed]
        for owner, owned in groupby(tasks, key=lambda task: task.owner_email):
            if owner is not None:
                mails.mkdir(exist_ok=True)
                files.append(mails / f"{_file_name(owner)}.eml")
                files[-1].write_bytes(bytes(_mail(owner, list(owned))))
    except OSError as error:
        raise UsageError(
            f"the task list cannot be written: {error.strerror}",
            where=str(listed),
            hint="name another path with --out",
        ) from error
    return tuple(files)


def without_owner(tasks: Sequence[OwnerTask]) -> str | None:
    """Return for how many tasks no owner is known, and what to do; None if all have one."""
    number = sum(task.owner_email is None for task in tasks)
    if not number:
        return None
    return (
        f"no owner is known for {counted(number, 'task')}: name the owner of the entitlement in owners.csv, "
        "or set default_owner in [policy]; then build and plan again"
    )


def _table(tasks: Sequence[OwnerTask]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns())
    for task in tasks:
        writer.writerow(["" if cell is None else as_text(str(cell)) for cell in astuple(task)])
    return text.getvalue()


def _mail(owner: str, tasks: Sequence[OwnerTask]) -> EmailMessage:
    """Return the mail to one owner. It has no sender: the person who sends it adds one."""
    message = EmailMessage(policy=SMTP)
    local, _, domain = owner.rpartition("@")
    message["To"] = Address("", local, domain)
    message["Subject"] = f"Access review: {counted(len(tasks), 'change')} to make"
    wanted = "this change" if len(tasks) == 1 else "these changes"
    lines = [f"A review found access that is to be removed. Please make {wanted}:", ""]
    for source, found in groupby(tasks, key=lambda task: task.source):
        lines += [f"In {source}:", ""]
        for task in found:
            lines.append(f"- {_one_line(task.words)}")
            if task.campaign:
                lines.append(f"  Decided by {task.decided_by} in review {_one_line(task.campaign)}.")
            if task.reason:
                lines.append(f"  Reason: {_one_line(task.reason)}")
        lines.append("")
    lines.append("The next export of the application shows that it is done. You need not answer.")
    message.set_content("\n".join(lines) + "\n")
    return message


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _file_name(address: str) -> str:
    return re.sub(r"[^a-z0-9.@_-]", "_", address.lower()).lstrip(".") or "owner"
