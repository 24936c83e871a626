"""Builds: the old one or the new one and never half of one, the same from the same input, and counts that add up."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.errors import ConfigurationError, ModelError, WarehouseError
from pipeline.warehouse.model import Model
from tests.rules import rule
from tests.warehouse.builds import EXCEPTIONS, FIRST, OUT_OF_SCOPE, SECOND, THIRD, behind, named, only, swapped

DANGLING_REFERENCE = rule("Reference to a missing role or group")
NEVER_LOGGED_IN = rule("Account never used")
STALE_ACCOUNT = rule("Stale account")
TOO_MANY_ADMINS = rule("Too many administrators")


def test_a_rebuild_of_the_same_snapshot_gives_the_same(house: Any, source: Any, people: Any) -> None:
    snapshot = house.land(FIRST, {"prod": source(people)})

    first, before = house.build(snapshot), house.reports()
    second, after = house.build(snapshot), house.reports()

    assert first == second
    assert before == after
    assert house.rows("select count(*) from meta.builds") == [(1,)]
    assert house.rows("select count(*), count(distinct account_id) from history.accounts") == [(8, 8)]
    assert house.rows("select count(*) from history.register") == house.rows("select count(*) from findings.register")
    assert house.rows("select count(*) from meta.rule_runs") == house.rows(
        "select count(*) from findings.rule_summary"
    )


def test_the_counts_of_every_rule_add_up(house: Any, source: Any, people: Any) -> None:
    house.build(
        house.land(FIRST, {"eu": source(people), "us": source(people[:3])}), roster="email\nann@example.com\n"
    )

    summary = house.rows(
        "select rule_id, enabled, population, failed, unknown, passed from reports.rule_summary order by rule_id"
    )
    assert len(summary) == sum(model.is_rule for model in house.models)
    for rule_id, enabled, population, failed, unknown, passed in summary:
        assert enabled
        assert population == failed + unknown + passed, rule_id
        keys = ["source", "account_id"] if population > 2 else ["source"]
        columns = {row[0] for row in house.rows(f"describe findings.{rule_id}")}
        key = ", ".join(name for name in keys if name in columns)
        if rule_id != DANGLING_REFERENCE:
            judged = house.rows(f"select count(distinct ({key})) from findings.{rule_id} where verdict = 'failed'")
            assert judged == [(failed,)], rule_id
    assert house.rows(
        "select sum(failed) > 5 and sum(unknown) > 5 and sum(passed) > 5 from reports.rule_summary"
    ) == [(True,)]
    sections = house.rows(
        "select section, sum(value) from reports.summary"
        " where section not in ('headline', 'severity', 'due') group by section"
    )
    active = house.rows("select count(*) from reports.population where status = 'active'")[0][0]
    assert dict(sections).pop("last_seen") == active
    assert {total for section, total in sections if section != "last_seen"} == {11}
    assert house.rows("select sum(value) from reports.summary where section = 'severity'") == house.rows(
        "select count(*) from findings.register where status = 'open'"
    )


def test_a_failing_model_leaves_the_previous_build(
    house: Any, source: Any, people: Any, altered: Callable[..., Model]
) -> None:
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.build(snapshot)
    before = house.reports()
    for position in ("staging.users", "graph.accounts", f"findings.{STALE_ACCOUNT}", "reports.summary"):
        first = {"reports.summary": r"(?m)^select section,"}.get(position, r"(?m)^    (typed\.|accounts\.)?source,$")
        again = "select error('broken') as section," if "section" in first else "    error('broken') as source,"
        broken = altered(named(house.models, position), first, again)
        models = swapped(house.models, broken)

        with pytest.raises(ModelError, match=r"does not run: .*broken") as caught:
            house.build(snapshot, models=models, overrides={TOO_MANY_ADMINS: {"max_admins": 0}})

        assert caught.value.where == str(broken.path)
        assert house.reports() == before
        assert house.rows("select count(*) from meta.builds") == [(1,)]


def test_a_wrong_input_file_leaves_the_previous_build_and_its_inputs(house: Any, source: Any, people: Any) -> None:
    people[0] |= {"userName": "shared"}
    people[1] |= {"userName": "Shared"}
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.build(snapshot, roster="email\nann@example.com\n")

    def state() -> tuple[Any, ...]:
        return house.reports(), house.rows("from policy.roles order by all"), house.rows("from policy.roster")

    before = state()
    wrong: dict[str, tuple[dict[str, str] | None, str | None]] = {
        "policy cell": ({"roles.csv": "role_name,rank,privileged\nadmin,high,no\n"}, None),
        "roster cell": (None, "email,end_date\na@x.test,soon\n"),
        "ambiguous subject": ({"out_of_scope.csv": OUT_OF_SCOPE + ",shared,r,b@x.test\n"}, None),
        "unknown rule": ({"exceptions.csv": EXCEPTIONS + "stale_acount,,old,r,b@x.test,2027-01-01\n"}, None),
    }
    for what, (policy, roster) in wrong.items():
        with pytest.raises(ConfigurationError) as caught:
            house.build(snapshot, policy=policy, roster=roster)

        assert "line 2" in str(caught.value), what
        assert state() == before, what


def test_a_violated_grain_is_a_model_error(
    house: Any, source: Any, people: Any, altered: Callable[..., Model]
) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT))
    snapshot = house.land(FIRST, {"prod": source(people)})
    model = named(house.models, "graph.memberships")

    twice = altered(model, r'grain   = \["source", "account_id", "group_id"\]', 'grain = ["source", "group_id"]')
    with pytest.raises(
        ModelError, match=r"graph\.memberships is not one row for each source, group_id: 0 .* 1 value more"
    ):
        house.build(snapshot, models=swapped(house.models, twice))

    accounts = named(house.models, "graph.accounts")
    null = altered(accounts, r'grain   = \["source", "account_id"\]', 'grain = ["account_id", "person_id"]')
    with pytest.raises(ModelError, match="8 rows without it"):
        house.build(snapshot, models=swapped(house.models, null))


def test_a_build_without_room_says_so_and_keeps_the_build_before(
    house: Any, source: Any, people: Any, altered: Callable[..., Model]
) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT))
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.build(snapshot)
    before = house.rows("from graph.accounts order by all")
    crowded = "where (select count(distinct sha256(number::varchar)) from range(3000000) as numbers (number)) > 0"
    model = altered(
        named(house.models, "staging.people"), r"(?m)^from policy\.roster$", f"from policy.roster\n{crowded}"
    )
    house.connection.execute("set memory_limit = '60MB'; set max_temp_directory_size = '1MB'")

    with pytest.raises(WarehouseError, match="the build failed: Out of Memory") as caught:
        house.build(snapshot, models=swapped(house.models, model))

    assert caught.value.where == str(model.path)
    assert "free some space if the disk or the memory is full" in caught.value.hint
    assert house.rows("from graph.accounts order by all") == before


def test_undeclared_columns_are_a_model_error(
    house: Any, source: Any, people: Any, altered: Callable[..., Model]
) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT))
    snapshot = house.land(FIRST, {"prod": source(people)})
    model = altered(named(house.models, "graph.people"), 'start_date        = "date:', 'start_date = "timestamp:')

    with pytest.raises(ModelError, match=r"does not have the columns its header declares: .*start_date"):
        house.build(snapshot, models=swapped(house.models, model))


@pytest.mark.parametrize(
    ("pattern", "replacement", "says"),
    [
        (r"(population  = .*) and not privileged", r"\1 and false", "returns rows that are not in its population"),
        (r"then 'failed'", "then 'fails'", "gives verdicts other than"),
        (r"then 'high' else 'medium'", "then 'hgih' else 'medium'", "gives unknown severities"),
        (
            r"select source, account_id from",
            "select source, account_id, email from",
            "columns that are not in its grain",
        ),
        (r"\"select source, account_id from graph.accounts", '"select source from graph.accounts', "repeated keys"),
    ],
)
def test_a_rule_that_contradicts_itself_is_a_model_error(
    house: Any, source: Any, people: Any, altered: Callable[..., Model], pattern: str, replacement: str, says: str
) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT))
    rule = altered(named(house.models, f"findings.{STALE_ACCOUNT}"), pattern, replacement)

    with pytest.raises(ModelError, match=says) as caught:
        house.build(house.land(FIRST, {"prod": source(people)}), models=swapped(house.models, rule))

    assert caught.value.where == str(rule.path)


def test_a_check_of_level_warn_is_reported_and_stops_nothing(house: Any, source: Any, make_user: Any) -> None:
    users = [make_user("a", lastLogin="yesterday"), make_user("b", active="maybe", created="2025-01-01")]

    house.models = behind(only(house.models, STALE_ACCOUNT))
    built = house.build(house.land(FIRST, {"prod": source(users)}))

    about = ("cannot be read", "without a time zone", "readable active flag")
    assert len(built.warnings) == len(about)
    for warning, words in zip(built.warnings, about, strict=True):
        assert warning.startswith("prod: ")
        assert words in warning
        assert "1" in warning


def test_a_disabled_rule_is_shown_as_such_and_has_no_findings(house: Any, source: Any, people: Any) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT, NEVER_LOGGED_IN), "reports.rule_summary")
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.build(snapshot)
    assert house.rows(f"select count(*) > 0 from findings.register where rule_id = '{STALE_ACCOUNT}'") == [(True,)]

    house.build(snapshot, overrides={STALE_ACCOUNT: {"enabled": False}})

    assert house.rows(
        "select enabled, population, failed, unknown, passed from reports.rule_summary "
        f"where rule_id = '{STALE_ACCOUNT}'"
    ) == [(False, None, None, None, None)]
    assert house.rows(f"select count(*) from findings.register where rule_id = '{STALE_ACCOUNT}'") == [(0,)]
    assert house.rows(f"select count(*) from duckdb_tables() where table_name = '{STALE_ACCOUNT}'") == [(0,)]


def test_a_configured_severity_replaces_the_severity_of_every_row(house: Any, source: Any, people: Any) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT), "reports.rule_summary")
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.build(snapshot)
    query = f"select severity from findings.register where rule_id = '{STALE_ACCOUNT}'"
    assert house.rows(query) == [("high",)]

    house.build(snapshot, overrides={STALE_ACCOUNT: {"severity": "low"}})

    assert house.rows(query) == [("low",)]
    assert house.rows(f"select severity from reports.rule_summary where rule_id = '{STALE_ACCOUNT}'") == [("low",)]


def test_findings_keep_their_ids(house: Any, source: Any, people: Any) -> None:
    house.models = behind(house.models)
    house.build(house.land(FIRST, {"prod": source(people)}))
    query = "select rule_id, subject_id, finding_id from findings.register order by all"
    before = house.rows(query)

    house.build(house.land(SECOND, {"prod": source(list(reversed(people)), page_size=3)}))

    assert len({finding_id for *_, finding_id in before}) == len(before)
    assert set(before) <= set(house.rows(query))


@pytest.mark.parametrize(
    ("as_of", "baseline", "is_default"),
    [
        (None, None, True),
        (None, FIRST, True),
        (timedelta(days=-1), None, False),
        (timedelta(days=400), None, False),
    ],
)
def test_the_folder_name_identifies_a_build_that_is_not_the_default(
    house: Any, source: Any, people: Any, as_of: timedelta | None, baseline: str | None, is_default: bool
) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT), "reports.snapshot")
    house.build(house.land(FIRST, {"prod": source(people)}))
    snapshot = house.land(SECOND, {"prod": source(people)})
    moment = snapshot.as_of + as_of if as_of else None

    built = house.build(snapshot, as_of=moment, baseline=baseline)

    assert built.folder == (SECOND if is_default else f"{SECOND}-{built.build_id[:8]}")
    assert house.rows("select folder, as_of, baseline_snapshot_id from reports.snapshot") == [
        (built.folder, moment or snapshot.as_of, FIRST)
    ]


def test_days_are_counted_to_as_of_and_not_to_now(house: Any, source: Any, make_user: Any) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT), "reports.population")
    snapshot = house.land(FIRST, {"prod": source([make_user("a", lastLogin="2025-12-31T00:00:00Z")])})

    for as_of, days in ((datetime(2025, 12, 30), 0), (datetime(2026, 1, 1), 1), (datetime(2027, 1, 1), 366)):  # noqa: DTZ001
        house.build(snapshot, as_of=as_of)
        assert house.rows("select days_since_seen, login_state from reports.population") == [(days, "seen")]


def test_the_build_id_changes_with_every_input(
    house: Any, source: Any, people: Any, altered: Callable[..., Model]
) -> None:
    snapshot = house.land(FIRST, {"prod": source(people)})
    house.models = behind(only(house.models, STALE_ACCOUNT))
    model = altered(named(house.models, "graph.people"), "One person in the roster", "One person")
    differing: list[dict[str, Any]] = [
        {},
        {"as_of": datetime(2026, 5, 1)},  # noqa: DTZ001
        {"overrides": {STALE_ACCOUNT: {"stale_after_days": 60}}},
        {"policy": {"privileged_groups.csv": "group_name\nOps\n"}},
        {"roster": "email\nann@example.com\n"},
        {"roster": "email\nann@example.com\nold@example.com\n"},
        {"models": swapped(house.models, model)},
    ]

    ids = [house.build(snapshot, **given).build_id for given in differing]

    assert len(set(ids)) == len(ids)
    assert house.rows("select count(distinct build_id), count(*) from history.accounts") == [(1, 8)]


# Exceptions and scope ---------------------------------------------------------------------------------------------


# The baseline -----------------------------------------------------------------------------------------------------


def changes(house: Any) -> dict[str, str]:
    return dict(house.rows("select account_id, change_since_baseline from reports.population"))


def test_each_account_is_compared_with_the_baseline(house: Any, source: Any, make_user: Any) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT), "reports.population")
    ann, bob, cyd = make_user("ann"), make_user("bob"), make_user("cyd")
    house.build(house.land(FIRST, {"prod": source([ann, bob])}))
    assert changes(house) == {"ann": "no_baseline", "bob": "no_baseline"}

    house.build(house.land(SECOND, {"prod": source([ann | {"roleId": "r-admin"}, cyd])}))
    assert changes(house) == {"ann": "changed", "cyd": "new"}

    third = house.land(THIRD, {"prod": source([ann | {"roleId": "r-admin"}, bob, cyd | {"active": False}])})
    house.build(third)
    assert changes(house) == {"ann": "unchanged", "bob": "reappeared", "cyd": "changed"}

    built = house.build(third, baseline=FIRST)
    assert changes(house) == {"ann": "changed", "bob": "unchanged", "cyd": "new"}
    assert built.folder != THIRD
    assert house.rows("select snapshot_id, count(*) from history.accounts group by all order by all") == [
        (FIRST, 2),
        (SECOND, 2),
        (THIRD, 3),
    ]


def test_a_finding_keeps_the_extract_that_first_had_it(house: Any, source: Any, people: Any) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT, NEVER_LOGGED_IN))
    house.build(house.land(FIRST, {"prod": source(people[:2])}))
    house.build(house.land(SECOND, {"prod": source(people[:3])}))

    assert house.rows(
        "select subject_id, first_seen_snapshot_id from findings.register "
        f"where rule_id in ('{STALE_ACCOUNT}', '{NEVER_LOGGED_IN}') order by subject_id"
    ) == [("new", SECOND), ("old", FIRST)]


def test_a_partial_extract_is_no_default_baseline(house: Any, source: Any, people: Any) -> None:
    house.models = behind(only(house.models, STALE_ACCOUNT))
    house.build(house.land(FIRST, {"prod": source(people)}))
    house.build(house.land(SECOND, {"prod": source(people, outcome={"observations": ()})}))

    house.build(house.land(THIRD, {"prod": source(people)}))

    assert house.rows("select snapshot_id from baseline.snapshot") == [(FIRST,)]


def test_an_unbuilt_baseline_is_refused_and_nothing_is_lost(house: Any, source: Any, people: Any) -> None:
    house.models = only(house.models, STALE_ACCOUNT)
    house.land(FIRST, {"prod": source(people)})
    second = house.land(SECOND, {"prod": source(people)})
    house.build(second)
    before = house.reports()

    with pytest.raises(WarehouseError, match=f"the baseline '{FIRST}' was never built"):
        house.build(second, baseline=FIRST)

    assert house.reports() == before
