"""A quarter over a Sisense, a directory and two applications by file: what one person holds adds up everywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from oaaclient.templates import CustomApplication, OAAPermission
from selenium import webdriver

from pipeline import Project, load_settings
from pipeline.review.service import NewCampaign, ReviewService
from pipeline.review.signing import Signer
from pipeline.simulator.server import Simulator
from tests.e2e.test_other_applications import HEADINGS, USED, decide, table, write
from tests.fakes.http import HttpServer
from tests.fakes.okta import API_TOKEN, FakeOkta, make_users
from tests.reporting.shown import open_page
from tests.rules import rule

# One worker has the browser.
pytestmark = pytest.mark.xdist_group("browser")
#: Groups of Sisense that hold all accounts; the column of groups leaves them out.
BUILT_IN = {"Everyone", "All users in system"}
CONFIGURATION = """
[organization]
email_domains = ["example.com"]
[sources.prod]
kind = "sisense"
url = "{sisense}"
username = "{username}"
objects = false
[sources.idp]
kind = "okta"
url = "{okta}"
application = "0oaapp"
[sources.pay]
kind = "files"
path = "pay"
[sources.tracker]
kind = "files"
path = "tracker.json"
[roster]
source = "idp"
[policy]
directory = "policy"
"""


@dataclass
class Quarter:
    """A finished quarter; ``holder`` is the person with an account in each of the four sources."""

    report: Path
    signed: Path
    problems: list[object]
    holder: str
    sisense_groups: set[str]
    sisense_role: str

    @property
    def held(self) -> dict[str, set[str]]:
        """What the holder has, as the four sources were filled, without the role in Sisense."""
        return {
            "prod": self.sisense_groups,
            "idp": {"Finance", "Everyone in Oslo"},
            "pay": {"Clerk", "Release payments"},
            "tracker": {"Developers", "Deployer", "view"},
        }


def tracker(*addresses: str) -> CustomApplication:
    """Return an application whose users are in one group; the first one has a role and a permission too."""
    app = CustomApplication("Tracker", application_type="work")
    app.add_custom_permission("view", [OAAPermission.DataRead])
    app.add_custom_permission("deploy", [OAAPermission.DataWrite])
    app.add_local_role("Deployer", ["deploy"], unique_id="r1")
    app.add_local_group("Developers", unique_id="g1")
    for number, address in enumerate(addresses):
        user = app.add_local_user(f"dev{number}", identities=[address], groups=["g1"], unique_id=f"t{number}")
        user.is_active = True
        if number == 0:
            user.add_role("r1", apply_to_application=True)
            user.add_permission("view", apply_to_application=True)
    return app


def write_files(folder: Path, holder: str, others: list[str], group: str) -> None:
    """Write the two applications and the policy: the holder has everything, the others a part."""
    accounts = [holder, *others[:3]]
    lines = [f"p{number},clerk{number},{address},A,B,{USED}" for number, address in enumerate(accounts)]
    grants = [f"p{number},clerk\n" for number in range(len(accounts))]
    write(
        folder / "pay",
        {
            "accounts.csv": HEADINGS + "".join(lines),
            "entitlements.csv": "entitlement_type,entitlement_id,entitlement_name,privileged\n"
            "role,clerk,Clerk,false\npermission,release,Release payments,true\n",
            "grants.csv": "account_id,entitlement_id\n" + "".join(grants) + "p0,release\n",
        },
    )
    payload = tracker(holder, *others[2:5]).get_payload()
    (folder / "tracker.json").write_text(json.dumps(payload), encoding="utf-8")
    lists = {key: len(payload["applications"][0][key]) for key in ("local_users", "local_groups", "local_roles")}
    rows = lists | {"identity_to_permissions": len(payload["identity_to_permissions"])}
    declared = {"files": [{"name": "tracker.json", "rows": rows}]}
    (folder / "tracker.manifest.json").write_text(json.dumps(declared), encoding="utf-8")
    (folder / "policy").mkdir()
    (folder / "policy" / "sod_pairs.csv").write_text(
        "left_type,left_name,right_type,right_name,reason\n"
        f"prod:group,{group},pay:permission,Release payments,sees what is paid\n"
        "pay:role,Clerk,tracker:role,Deployer,four eyes\n",
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Quarter:
    folder = tmp_path_factory.mktemp("quarter")
    with Simulator(20, 7) as simulator:
        store = simulator.sisense.store
        names = {
            group["_id"]: group["name"] for group in simulator.population.groups if group["name"] not in BUILT_IN
        }
        accounts = [user for user in store.users if user.get("active") is True and user.get("email")]
        accounts.sort(key=lambda user: -len(names.keys() & set(user.get("groups", []))))
        users = make_users(len(accounts))
        for user, account in zip(users, accounts, strict=True):
            user["status"] = "ACTIVE"
            user["profile"] |= {"email": account["email"], "login": account["userName"]}
        ids = [user["id"] for user in users]
        okta = FakeOkta(users, assigned=dict.fromkeys(ids, "USER"))
        okta.groups = {"g1": ("Finance", ids[:4]), "g2": ("Everyone in Oslo", ids[:1])}
        holder, *others = [str(account["email"]) for account in accounts]
        held = {names[group] for group in accounts[0]["groups"] if group in names}
        write_files(folder, holder, others, min(held))
        with HttpServer(okta.answer) as http:
            text = CONFIGURATION.format(sisense=simulator.url, username=simulator.username, okta=http.url)
            (folder / "access-review.toml").write_text(text, encoding="utf-8")
            settings = load_settings(folder / "access-review.toml")
            secrets = {"ACCESS_REVIEW_PROD_PASSWORD": simulator.password, "ACCESS_REVIEW_IDP_TOKEN": API_TOKEN}
            ran = Project(settings, secrets).run(formats=["csv", "html"])
        assert ran.extract.completeness == "FULL", ran.extract.reason
        review = ReviewService(settings, {})
        review.open(NewCampaign("Q", reviewers=("owner", "manager", "ciso@example.com")))
        packets = [path for path in review.write_packets().files if path.suffix == ".csv"]
        for packet in packets:
            decide(packet)
        imported = review.import_files(packets)
        review.sign_off(Signer("Cy", "ciso@example.com", "CISO"))
        roles = {role["_id"]: role["displayName"] for role in simulator.population.roles}
    signed = next(ran.report.folder.parent.glob("*-signoff-Q"))
    problems = [problem for _, each in imported.files for problem in each.problems]
    return Quarter(ran.report.folder, signed, problems, holder, held, roles[accounts[0]["roleId"]])


def test_a_person_has_the_accounts_and_access_of_all_four_sources(quarter: Quarter) -> None:
    rows = [row for row in table(quarter.report / "person_access.csv") if row["email"] == quarter.holder]

    assert {row["source"]: set(row["groups"].split("; ")) for row in rows} == quarter.held
    assert {(row["sources"], row["accounts"], row["status"]) for row in rows} == {("4", "4", "active")}
    assert [(row["source"], row["privileged"]) for row in rows if row["is_directory"] == "true"] == [("idp", "")]
    [(person, _)] = {(row["person_id"], row["person"]) for row in rows}
    accounts = {
        (row["source"], row["account_id"])
        for row in table(quarter.report / "population.csv")
        if row["person_id"] == person
    }
    access = [row for row in table(quarter.report / "access.csv") if (row["source"], row["account_id"]) in accounts]
    reviewed = {source: names for source, names in quarter.held.items() if source != "idp"}
    named = {source: {row["entitlement_name"] for row in access if row["source"] == source} for source in reviewed}
    assert named == reviewed | {"prod": quarter.sisense_groups | {quarter.sisense_role} | BUILT_IN}


def test_a_conflict_of_duties_spans_applications(quarter: Quarter) -> None:
    found = [
        row
        for row in table(quarter.report / "findings.csv")
        if row["rule_id"] == rule("Segregation of duties conflict")
    ]

    [(person, details)] = {row["subject_id"]: [row["detail"] for row in found] for row in found}.items()
    assert person
    assert len(details) == 2
    assert any("prod:group" in detail and "pay:permission Release payments" in detail for detail in details)
    assert any("pay:role Clerk and tracker:role Deployer" in detail for detail in details)


def test_the_sign_off_has_a_decision_on_each_item_of_all_applications(quarter: Quarter) -> None:
    decisions = {row["item_id"]: row for row in table(quarter.signed / "decisions.csv")}
    access = {row["item_id"]: row for row in table(quarter.report / "access.csv")}

    assert quarter.problems == []
    assert {row["source"] for row in decisions.values()} == {"prod", "pay", "tracker"}
    left_out = {item for item, row in decisions.items() if row["exclusion_reason"]}
    assert {item for item, row in decisions.items() if row["decision"]} == decisions.keys() - left_out
    assert {item for item, row in access.items() if row["email"] == quarter.holder} <= decisions.keys()
    removed = {
        (row["source"], row["entitlement_name"])
        for row in decisions.values()
        if row["decision"] == "remove" and row["email"] == quarter.holder
    }
    assert removed == {
        ("prod", min(quarter.sisense_groups)), ("pay", "Release payments"), ("pay", "Clerk"), ("tracker", "Deployer"),
    }  # fmt: skip


def test_the_card_of_a_person_shows_all_four_sources(quarter: Quarter, chromium: webdriver.Chrome) -> None:
    open_page(chromium, quarter.report / "access-review.html", "#account=pay/p0")
    others_table = "#lookup-card table[aria-label='Other accounts of this person']"
    cells = (
        f'return [...document.querySelectorAll("{others_table} tbody tr")]'
        ".map(row => [...row.cells].map(cell => cell.innerText))"
    )
    others = {row[1].partition("\n")[0]: set(row[2].split("; ")) for row in chromium.execute_script(cells)}

    expected = {source: names for source, names in quarter.held.items() if source != "pay"}
    assert others == expected | {"prod": quarter.sisense_groups | {quarter.sisense_role} | BUILT_IN}
