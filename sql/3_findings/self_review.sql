/*
title       = "Access reviewed by its own holder"
summary     = "A decision of a review campaign that the holder of the account made, under whatever address they have."
severity    = "high"
population  = """
select campaign, source, account_id, entitlement_type, entitlement_id from graph.review_decisions where is_current
"""
reads       = ["graph.review_decisions", "graph.accounts", "policy.roster"]
grain       = ["campaign", "source", "account_id", "entitlement_type", "entitlement_id"]
remediation = "Have somebody else decide on this item; a campaign cannot be signed off before that."

[controls]
soc2     = ["CC6.3"]
iso27001 = ["A.5.3", "A.5.18"]
nist     = ["AC-5", "AC-2"]
*/
with

-- Every address under which a person is known, in every source.
addresses as (
    select person_id, lower(email) as address from policy.roster
    union
    select person_id, lower(unnest(aliases)) from policy.roster
    union
    select person_id, lower(email) from graph.accounts where person_id is not null and email is not null
    union
    select person_id, lower(user_name) from graph.accounts where person_id is not null and user_name is not null
),

judged as (
    select
        item.campaign, item.source, item.account_id, item.entitlement_type, item.entitlement_id, item.entitlement_name,
        item.decided_by,
        case
            when item.decision is null then 'unknown'
            when own.address is not null or lower(item.decided_by) in (lower(item.email), lower(item.user_name))
                then 'failed'
            -- who holds it is known by nothing that could be compared with an address
            when item.person_id is null and item.email is null and coalesce(item.user_name, '') not like '%@%'
                then 'unknown'
        end as verdict
    from graph.review_decisions as item
    left join addresses as own on own.person_id = item.person_id and own.address = lower(item.decided_by)
    where item.is_current
)

select
    campaign,
    source,
    account_id,
    entitlement_type,
    entitlement_id,
    verdict,
    'Review ' || campaign || ': ' || decided_by || ' decided on the ' || entitlement_type || ' '
        || coalesce(entitlement_name, entitlement_id) || ' of their own account.' as detail,
    'decided by the holder' as observed_value,
    'somebody else' as threshold
from judged
where verdict is not null

/* example
name = "the account's address, an alias of the person and an account in another source are the holder; a colleague is not; nothing to compare is unknown"
given."policy.roster" = [
  { person_id = "p", email = "ann@x.org", aliases = ["ann.old@x.org"], row = 1 },
  { person_id = "q", email = "bob@x.org", aliases = [], row = 2 },
]
given."graph.accounts" = [ { source = "other", account_id = "9", person_id = "p", email = "ann@lab.org" } ]
given."graph.review_decisions" = [
  { campaign = "Q", item_id = "1", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", email = "Ann@x.org", decided_by = "ann@x.org", decision = "keep", is_current = true },
  { campaign = "Q", item_id = "2", source = "s", account_id = "2", entitlement_type = "role", entitlement_id = "r", email = "a@x.org", person_id = "p", decided_by = "ann.old@x.org", decision = "keep", is_current = true },
  { campaign = "Q", item_id = "3", source = "s", account_id = "3", entitlement_type = "role", entitlement_id = "r", email = "a@x.org", person_id = "p", decided_by = "ann@lab.org", decision = "keep", is_current = true },
  { campaign = "Q", item_id = "4", source = "s", account_id = "4", entitlement_type = "role", entitlement_id = "r", email = "a@x.org", person_id = "p", decided_by = "bob@x.org", decision = "keep", is_current = true },
  { campaign = "Q", item_id = "5", source = "s", account_id = "5", entitlement_type = "role", entitlement_id = "r", user_name = "etl", decided_by = "bob@x.org", decision = "keep", is_current = true },
  { campaign = "Q", item_id = "6", source = "s", account_id = "6", entitlement_type = "role", entitlement_id = "r", email = "c@x.org", is_current = true },
  { campaign = "old", item_id = "1", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", email = "ann@x.org", decided_by = "ann@x.org", decision = "keep", is_current = false },
]
expect = [
  { account_id = "1", verdict = "failed" }, { account_id = "2", verdict = "failed" }, { account_id = "3", verdict = "failed" },
  { account_id = "5", verdict = "unknown" }, { account_id = "6", verdict = "unknown" },
]
population = 6
*/
/* example
name = "without a campaign there is nobody to judge"
given."graph.accounts" = [ { source = "s", account_id = "1" } ]
expect = []
population = 0
*/
