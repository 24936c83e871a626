/*
title       = "Access reviewed by its own holder"
summary     = "A decision of a review campaign that the holder of the account made, under whatever address they have."
severity    = "high"
population  = """
select campaign, source, account_id, entitlement_type, entitlement_id from graph.review_decisions where is_current
"""
reads       = ["graph.review_decisions"]
grain       = ["campaign", "source", "account_id", "entitlement_type", "entitlement_id"]
needs       = "campaign"
remediation = "Have somebody else decide on this item; a campaign cannot be signed off before that."

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
    'somebody else' as threshold
from graph.review_decisions
where is_current and is_self_review is distinct from false

/* example
name = "the holder decided: fails; somebody else: passes; nobody, or nothing to compare: unknown; a campaign that is over is not judged"
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
name = "without a campaign there is nobody to judge"
given."graph.review_decisions" = []
expect = []
population = 0
*/
