"""Files of the Open Authorization API as Veza's own client makes them, and the same application as Parquet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars
import pytest
from oaaclient.templates import CustomApplication, LocalUserType, OAAPermission

from pipeline import Project, load_settings
from pipeline.errors import ContentError
from tests.sources.test_files import Landed, landing_models, read

__all__ = ["landing_models", "read"]


def application(name: str = "Payroll") -> CustomApplication:
    """Return one with groups in groups, roles in roles, resources, a key and an identity of a directory."""
    app = CustomApplication(name, application_type="hr")
    app.add_custom_permission("view", [OAAPermission.DataRead, OAAPermission.MetadataRead])
    app.add_custom_permission("pay", [OAAPermission.DataRead, OAAPermission.DataWrite])
    app.add_custom_permission("login", [OAAPermission.NonData])
    salaries = app.add_resource("salaries", "folder")
    app.add_local_role("Viewer", ["view"], unique_id="r1")
    app.add_local_role("Payer", ["pay"], unique_id="r2").add_role("r1")
    app.add_local_role("Guest", ["login"], unique_id="r3")
    app.add_local_role("Bare", unique_id="r4")
    staff = app.add_local_group("Staff", unique_id="g1")
    team = app.add_local_group("Team", unique_id="g2")
    team.add_group("g1")
    staff.add_role("r1", apply_to_application=True)
    team.add_permission("pay", resources=[salaries])
    ann = app.add_local_user("ann", identities=["ann@example.com"], groups=["g2"], unique_id="u1")
    ann.is_active, ann.created_at, ann.last_login_at = True, "2024-01-01T00:00:00Z", "2025-12-20T08:00:00Z"
    ann.add_role("r2", apply_to_application=True)
    bo = app.add_local_user("bo", unique_id="u2")
    bo.is_active, bo.email, bo.user_type = False, "bo@example.com", LocalUserType.ServiceAccount
    bo.add_role("r3", resources=[salaries])
    bo.add_permission("view", apply_to_application=True)
    app.add_local_user("cy", unique_id="u3").add_role("r4", apply_to_application=True)
    app.add_idp_identity("dee@example.com").add_role("r1", apply_to_application=True)
    key = app.add_access_cred("k1", "nightly")
    key.is_active = True
    key.add_permission("view", apply_to_application=True)
    return app


def written(folder: Path, payload: dict[str, Any], **rows: int) -> Path:
    """Write a payload, and a manifest beside it that fits but for ``rows``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "payroll.json"
    path.write_text(json.dumps(payload), encoding="utf-8")
    [app] = payload["applications"]
    counts = {key: len(app[key]) for key in ("local_users", "local_groups", "local_roles")}
    counts |= {"identity_to_permissions": len(payload["identity_to_permissions"])} | rows
    entry = {"name": path.name, "rows": counts, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    path.with_name("payroll.manifest.json").write_text(json.dumps({"files": [entry]}), encoding="utf-8")
    return path


@pytest.fixture
def payload() -> dict[str, Any]:
    return json.loads(json.dumps(application().get_payload()))


def test_a_payload_of_the_client_comes_through(
    tmp_path: Path, payload: dict[str, Any], read: Callable[..., Landed]
) -> None:
    landed = read(written(tmp_path / "oaa", payload))

    assert (landed.completeness, landed.reason) == ("FULL", None)
    assert landed.rows["accounts"] == [
        {"account_id": "u1", "user_name": "ann", "email": "ann@example.com", "status": "active",
         "created_at": "2024-01-01T00:00:00Z", "last_login_at": "2025-12-20T08:00:00Z"},
        {"account_id": "u2", "user_name": "bo", "email": "bo@example.com", "status": "inactive",
         "account_type": "service"},
        {"account_id": "u3", "user_name": "cy"},
        {"account_id": "dee@example.com", "user_name": "dee@example.com", "email": "dee@example.com"},
        {"account_id": "credential:k1", "user_name": "nightly", "status": "active", "account_type": "service"},
    ]  # fmt: skip
    assert {(grant["account_id"], grant["entitlement_id"], grant.get("path")) for grant in landed.rows["grants"]} == {
        ("u1", "group:Team", None),
        ("u1", "group:Staff", "group Team"),
        ("u1", "role:Payer", None),
        ("u1", "role:Viewer", "role Payer"),
        ("u1", "role:Viewer", "group Team > group Staff"),
        ("u1", "permission:pay@salaries", "group Team"),
        ("u2", "role:Guest", "on salaries"),
        ("u2", "permission:view", None),
        ("u3", "role:Bare", None),
        ("dee@example.com", "role:Viewer", None),
        ("credential:k1", "permission:view", None),
    }
    assert {each["entitlement_id"]: each.get("permission_types") for each in landed.rows["entitlements"]} == {
        "group:Staff": ["DataRead", "MetadataRead"],
        "group:Team": ["DataRead", "DataWrite", "MetadataRead"],
        "role:Viewer": ["DataRead", "MetadataRead"],
        "role:Payer": ["DataRead", "DataWrite", "MetadataRead"],
        "role:Guest": ["NonData"],
        "role:Bare": ["Uncategorized"],
        "permission:pay@salaries": ["DataRead", "DataWrite"],
        "permission:view": ["DataRead", "MetadataRead"],
    }


def test_a_payload_whose_counts_are_missing_or_wrong_is_partial(
    tmp_path: Path, payload: dict[str, Any], read: Callable[..., Landed]
) -> None:
    path = written(tmp_path / "wrong", payload, local_users=4)

    assert "declares 4 rows of 'local_users' in payroll.json, and 3 were read" in (read(path).reason or "")


def test_a_payload_without_a_manifest_is_partial(
    tmp_path: Path, payload: dict[str, Any], read: Callable[..., Landed]
) -> None:
    path = written(tmp_path / "bare", payload)
    path.with_name("payroll.manifest.json").unlink()

    landed = read(path.parent)

    assert landed.completeness == "PARTIAL"
    assert "There is no payroll.manifest.json" in (landed.reason or "")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[:-200], "payroll.json is not valid JSON"),
        (lambda text: "[]", "payroll.json is not a JSON object"),
        (lambda text: '{"users": []}', "the file has no list 'applications', so it is not an OAA file"),
        (lambda text: text.replace('"local_users": [', '"local_users": [3, '), "local_users[0] of applications[0]"),
        (
            lambda text: text.replace('"identity": "u1"', '"identity": ""'),
            "identity_to_permissions[0] has no identity",
        ),
    ],
)
def test_a_broken_payload_ends_in_words(
    tmp_path: Path,
    payload: dict[str, Any],
    read: Callable[..., Landed],
    spoil: Callable[[str], str],
    message: str,
) -> None:
    path = written(tmp_path / "oaa", payload)
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")

    with pytest.raises(ContentError) as caught:
        read(path)

    assert message in caught.value.message


def test_parquet_is_read_like_csv_with_its_own_types(tmp_path: Path, read: Callable[..., Landed]) -> None:
    tables = {
        "accounts": {
            "account_id": [1, 2],
            "status": ["active", None],
            "last_login_at": [datetime(2025, 12, 20, 8, tzinfo=UTC), None],
        },
        "entitlements": {"entitlement_id": ["r"], "privileged": [True]},
        "grants": {"account_id": [1], "entitlement_id": ["r"]},
    }
    files = []
    for name, columns in tables.items():
        polars.DataFrame(columns).write_parquet(tmp_path / f"{name}.parquet")
        files.append({"name": f"{name}.parquet", "rows": len(next(iter(columns.values())))})
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")

    landed = read(tmp_path)

    assert landed.completeness == "FULL"
    assert landed.rows["accounts"] == [
        {"account_id": "1", "status": "active", "last_login_at": "2025-12-20T08:00:00+00:00"},
        {"account_id": "2"},
    ]
    assert landed.rows["entitlements"] == [{"entitlement_id": "r", "privileged": "true"}]
    (tmp_path / "grants.parquet").write_bytes((tmp_path / "grants.parquet").read_bytes()[:-9])
    with pytest.raises(ContentError, match=r"grants\.parquet is not a Parquet file, or was cut off"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        ((), {}, "there are no files of an application in"),
        (("a.json", "b.json"), {}, "there are 2 JSON files in"),
        (("a.json", "accounts.csv"), {}, "has files in several formats: csv, oaa"),
        (("accounts.csv",), {"format": "oaa"}, "there are no files of an application in"),
    ],
)
def test_a_folder_that_is_not_clear_is_refused(
    tmp_path: Path, read: Callable[..., Landed], names: tuple[str, ...], settings: dict[str, Any], message: str
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in names:
        (folder / name).touch()

    with pytest.raises(ContentError) as caught:
        read(folder, **settings)

    assert message in caught.value.message


def test_the_types_of_permissions_decide_who_is_privileged(tmp_path: Path, payload: dict[str, Any]) -> None:
    written(tmp_path / "oaa", payload)
    (tmp_path / "access-review.toml").write_text(
        '[organization]\nemail_domains = ["example.com"]\n[sources.pay]\nkind = "files"\npath = "oaa/payroll.json"\n',
        encoding="utf-8",
    )
    project = Project(load_settings(tmp_path / "access-review.toml"), {})
    project.extract()
    project.build()

    privileged = project.query("select account_id from graph.accounts where privileged order by all").rows()
    levels = dict(project.query("select entitlement_id, permission_level from graph.entitlements").rows())

    assert privileged == [("u1",)]
    assert levels == {
        "group:Staff": "standard", "group:Team": "privileged", "role:Viewer": "standard", "role:Payer": "privileged",
        "role:Guest": "unclassified", "role:Bare": "unclassified", "permission:pay@salaries": "privileged",
        "permission:view": "standard",
    }  # fmt: skip
