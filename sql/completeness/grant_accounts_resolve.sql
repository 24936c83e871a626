/*
summary = "Every account that a file's grants name is in the file's accounts."
reads   = ["meta.sources", "raw.file_accounts", "raw.file_grants"]
gate    = true
*/
with

accounts as (
    select distinct source, payload ->> '$.account_id' as account_id
    from raw.file_accounts
    where snapshot_id = $snapshot_id and is_accepted
),

grants as (
    select source, payload ->> '$.account_id' as account_id, count(*) as grant_count
    from raw.file_grants
    where snapshot_id = $snapshot_id and is_accepted
    group by source, account_id
),

counts as (
    select
        grants.source, sum(grants.grant_count)::bigint as grant_count,
        coalesce(sum(grants.grant_count) filter (where accounts.account_id is null), 0)::bigint as unresolved,
        list_sort(list(grants.account_id) filter (where accounts.account_id is null)) as named
    from grants
    left join accounts on accounts.source = grants.source and accounts.account_id = grants.account_id
    group by grants.source
)

select
    sources.source,
    coalesce(counts.grant_count, 0)::varchar as expected,
    coalesce(counts.grant_count - counts.unresolved, 0)::varchar as observed,
    -coalesce(counts.unresolved, 0) as difference,
    case when counts.source is null then 'NOT_AVAILABLE' when counts.unresolved = 0 then 'PASS' else 'FAIL' end as result,
    case
        when counts.source is null then 'The files list no grant.'
        when counts.unresolved = 0 then counted(counts.grant_count, 'grant') || ' checked: every account exists.'
        else counted(counts.unresolved, 'grant') || ' to an account that the accounts do not list: '
            || array_to_string(counts.named[1:3], ', ')
            || case when length(counts.named) > 3 then ' and ' || (length(counts.named) - 3) || ' more' else '' end
            || '. The accounts and the grants do not belong together, and the report leaves these grants out.'
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
where sources.snapshot_id = $snapshot_id and sources.kind = 'files'
