"""The rules about single accounts, compared with an independent implementation in plain Python.

Every account is drawn from values at the boundaries: the very second of a limit and a millisecond to either side,
what cannot be read, what is missing. One build evaluates many of them.
"""

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from pipeline.warehouse.model import Model
from tests.search import looking_for
from tests.warehouse.careful_reader import AS_OF, EXPECTED, GROUPS, ROLES, ROSTER, Account, Moment, accounts, moment

BOUNDED = looking_for(
    quick=2, deep=60, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)  # not shrunk: an example is a whole build, and the message names the account


@pytest.mark.search
def test_rules_find_exactly_the_accounts_that_an_independent_reader_finds(
    open_house: Any, tmp_path: Path, models: list[Model], source: Any
) -> None:
    needed = [
        m for m in models if m.schema in {"staging", "graph"} or m.name in {*EXPECTED, "register", "evaluations"}
    ]
    numbers = count()
    # Somebody whose login can be read, so that the source is known to give it.
    known = Account(
        True, "r-viewer", moment(AS_OF - timedelta(days=1)), Moment(None), moment(AS_OF - timedelta(days=400)),
        Moment(None), False, "here@example.com", (), "Ada", "Test",
    )  # fmt: skip

    @BOUNDED
    @given(drawn=st.lists(accounts, min_size=30, max_size=60))
    def holds(drawn: list[Account]) -> None:
        everybody = {f"a{number:03}": account for number, account in enumerate([known, *drawn])}
        users = [account.record(account_id) for account_id, account in everybody.items()]
        with open_house(tmp_path / str(next(numbers)), needed) as house:
            snapshot = house.land(
                "20260101T000000Z-0001",
                {"prod": source(users, roles=ROLES, groups=GROUPS)},
                finished_at=AS_OF.replace(tzinfo=None),
            )
            house.build(snapshot, roster=ROSTER)
            found = {
                rule_id: {
                    account_id: (verdict, severity)
                    for account_id, verdict, severity in house.rows(
                        f"""
                        select verdicts.account_id, verdicts.verdict, coalesce(register.severity, '')
                        from findings.{rule_id} as verdicts
                        left join findings.register as register
                            on register.rule_id = '{rule_id}' and register.account_id = verdicts.account_id
                        """
                    )
                }
                for rule_id in EXPECTED
            }

        for rule_id, verdict_of in EXPECTED.items():
            verdicts = {account_id: verdict_of(account) for account_id, account in everybody.items()}
            expected = {account_id: verdict for account_id, verdict in verdicts.items() if verdict}
            wrong = {k for k in expected.keys() | found[rule_id].keys() if expected.get(k) != found[rule_id].get(k)}
            assert not wrong, [
                (rule_id, everybody[k], expected.get(k), found[rule_id].get(k)) for k in sorted(wrong)
            ][:3]

    holds()
