/*
title       = "Differs from the identity provider"
summary     = "An account whose status, e-mail address or groups differ from the identity provider."
severity    = "medium"
population  = "select source, account_id from graph.accounts"
reads       = ["graph.accounts", "graph.provider_accounts", "graph.scim_differences"]
grain       = ["source", "account_id"]
needs       = "provider"
remediation = "Find out which side is right, correct it in the identity provider, and push the change again."

[controls]
soc2     = ["CC6.2"]
iso27001 = ["A.5.16"]
*/
with

differences as (
    select
        source, account_id,
        bool_or(difference = 'status') as has_other_status,
        array_to_string(list_sort(list(distinct difference)), '; ') as kinds,
        array_to_string(list_sort(list(distinct
            case difference
                when 'status' then scim_value || ' in ' || scim_source || ', ' || rest_value || ' in Sisense'
                when 'email' then scim_value || ' in ' || scim_source || ', ' || rest_value || ' in Sisense'
                when 'group_only_in_scim' then 'in the group ' || subject || ' in ' || scim_source || ', not in Sisense'
                else 'in the group ' || subject || ' in Sisense, not in ' || scim_source
            end
        )), '; ') as descriptions
    from graph.scim_differences
    where difference in ('status', 'email', 'group_only_in_scim', 'group_only_in_sisense')
    group by source, account_id
),

verdicts as (
    select
        account.source, account.account_id, provider.scim_sources, differences.has_other_status, differences.descriptions,
        differences.kinds,
        case
            when differences.account_id is not null then 'failed'
            when provider.is_comparable is distinct from true then 'unknown'
            when list_contains(account.unreadable_fields, 'groups') or list_contains(account.unreadable_fields, 'email')
                then 'unknown'
        end as verdict
    from graph.accounts as account
    left join graph.provider_accounts as provider
        on provider.source = account.source and provider.account_id = account.account_id
    left join differences on differences.source = account.source and differences.account_id = account.account_id
)

select
    source,
    account_id,
    verdict,
    case when has_other_status then 'medium' else 'low' end as severity,
    case
        when descriptions is not null then upper(left(descriptions, 1)) || substr(descriptions, 2) || '.'
        when scim_sources is null then 'No identity provider was read.'
        else 'Its status and e-mail address cannot be compared with ' || scim_sources || '.'
    end as detail,
    coalesce(kinds, 'not known') as observed_value,
    'the same as in the identity provider' as threshold
from verdicts
where verdict is not null

/* example
name = "a different status is medium, a different address or group low; equal passes; without a counterpart, or a provider, it is unknown"
given."graph.accounts" = [
  { source = "s", account_id = "off" }, { source = "s", account_id = "moved" }, { source = "s", account_id = "same" },
  { source = "s", account_id = "roleless" }, { source = "s", account_id = "unlinked" }, { source = "far", account_id = "f" },
]
given."graph.provider_accounts" = [
  { source = "s", account_id = "off", is_comparable = true, scim_sources = "s" },
  { source = "s", account_id = "moved", is_comparable = true, scim_sources = "s" },
  { source = "s", account_id = "same", is_comparable = true, scim_sources = "s" },
  { source = "s", account_id = "roleless", is_comparable = true, scim_sources = "s" },
  { source = "s", account_id = "unlinked", is_comparable = false, scim_sources = "s" },
]
given."graph.scim_differences" = [
  { scim_source = "s", difference = "status", source = "s", account_id = "off", scim_value = "inactive", rest_value = "active" },
  { scim_source = "s", difference = "email", source = "s", account_id = "off", scim_value = "a@x", rest_value = "b@x" },
  { scim_source = "s", difference = "group_only_in_scim", source = "s", account_id = "moved", subject = "Ops" },
  { scim_source = "s", difference = "no_role", source = "s", account_id = "roleless" },
]
expect = [
  { account_id = "off", verdict = "failed", severity = "medium", observed_value = "email; status" },
  { account_id = "moved", verdict = "failed", severity = "low", detail = "In the group Ops in s, not in Sisense." },
  { account_id = "unlinked", verdict = "unknown" },
  { account_id = "f", verdict = "unknown" },
]
population = 6
*/
