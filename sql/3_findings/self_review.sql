/*
title       = "Access reviewed by its holder"
summary     = "A decision that the holder of the account made, under any of their addresses."
severity    = "high"
population  = """
select campaign, source, account_id, entitlement_type, entitlement_id from graph.review_decisions where is_current
"""
reads       = ["graph.review_decisions"]
grain       = ["campaign", "source", "account_id", "entitlement_type", "entitlement_id"]
needs       = "campaign"
remediation = "Have another reviewer decide on this item. Until then, the campaign cannot be signed off."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.3", "A.5.18"]
nist     = ["AC-5", "AC-2"]
*/
select
    campaign,
    source,
    account_id,
    entitlement_type,
    entitlement_id,
    case when is_self_review then 'failed' else 'unknown' end as verdict,
    'Review ' || campaign || ': ' || decided_by || ' decided on the ' || entitlement_type || ' '
        || coalesce(entitlement_name, entitlement_id) || ' of their own account.' as detail,
    'decided by the holder' as observed_value,
    'another reviewer' as threshold
from graph.review_decisions
where is_current and is_self_review is distinct from false

/* example
name = "decided by the holder fails, by another reviewer passes; undecided is unknown; past campaigns are not in the population"
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", decided_by = "ann@x.org", decision = "keep", is_self_review = true, is_current = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "2", entitlement_type = "role", entitlement_id = "r", decided_by = "bob@x.org", decision = "keep", is_self_review = false, is_current = true },
  { campaign = "Q", item_id = "3", source = "s", account_id = "3", entitlement_type = "role", entitlement_id = "r", is_current = true },
  { campaign = "old", item_id = "1", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", decided_by = "ann@x.org", decision = "keep", is_self_review = true, is_current = false },
]
expect = [
  { account_id = "1", verdict = "failed", detail = "Review Q: ann@x.org decided on the role r of their own account." },
  { account_id = "3", verdict = "unknown" },
]
population = 3
*/
/* example
name = "without a campaign the population is empty"
given."graph.review_decisions" = []
expect = []
population = 0
*/
