/*
title       = "High-risk access kept without a reason"
summary     = "High-risk access that a reviewer kept without giving a reason."
severity    = "high"
population  = """
select campaign, source, account_id, entitlement_type, entitlement_id
from graph.review_decisions where is_current and is_high_risk
"""
reads       = ["graph.review_decisions"]
grain       = ["campaign", "source", "account_id", "entitlement_type", "entitlement_id"]
needs       = "campaign"
remediation = "Ask the reviewer for the reason and import the answer, or remove the access."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.18"]
nist     = ["AC-2", "AC-6(7)"]
pci      = ["7.2.4"]
*/
select
    campaign,
    source,
    account_id,
    entitlement_type,
    entitlement_id,
    case when decision is null then 'unknown' else 'failed' end as verdict,
    'Review ' || campaign || ': ' || decided_by || ' kept the ' || entitlement_type || ' '
        || coalesce(entitlement_name, entitlement_id) || ' and gave no reason.' as detail,
    'kept, no reason' as observed_value,
    'a stated reason' as threshold
from graph.review_decisions
where is_current and is_high_risk and (decision is null or (decision = 'keep' and coalesce(trim(reason), '') = ''))

/* example
name = "kept with no reason or only blanks fails; with a reason, at lower risk, or decided differently passes; undecided is unknown"
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Admin", is_high_risk = true, decision = "keep", decided_by = "b@x.org", is_current = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "2", entitlement_type = "role", entitlement_id = "r", is_high_risk = true, decision = "keep", decided_by = "b@x.org", reason = "  ", is_current = true },
  { campaign = "Q", item_id = "3", source = "s", account_id = "3", entitlement_type = "role", entitlement_id = "r", is_high_risk = true, decision = "keep", decided_by = "b@x.org", reason = "x", is_current = true },
  { campaign = "Q", item_id = "4", source = "s", account_id = "4", entitlement_type = "role", entitlement_id = "r", is_high_risk = false, decision = "keep", decided_by = "b@x.org", is_current = true },
  { campaign = "Q", item_id = "5", source = "s", account_id = "5", entitlement_type = "role", entitlement_id = "r", is_high_risk = true, decision = "defer", decided_by = "b@x.org", is_current = true },
  { campaign = "Q", item_id = "6", source = "s", account_id = "6", entitlement_type = "role", entitlement_id = "r", is_high_risk = true, is_current = true },
  { campaign = "old", item_id = "1", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", is_high_risk = true, decision = "keep", decided_by = "b@x.org", is_current = false },
]
expect = [
  { account_id = "1", verdict = "failed", detail = "Review Q: b@x.org kept the role Admin and gave no reason." },
  { account_id = "2", verdict = "failed" }, { account_id = "6", verdict = "unknown" },
]
population = 5
*/
