/*
summary = "Every account and every entitlement that a file's grants name is in the file's other tables."
reads   = ["meta.sources", "raw.file_accounts", "raw.file_entitlements", "raw.file_grants"]
*/
with

accounts as (
    select distinct source, payload ->> '$.account_id' as account_id
    from raw.file_accounts
    where snapshot_id = $snapshot_id and is_accepted
),

entitlements as (
    select distinct source, payload ->> '$.entitlement_id' as entitlement_id
    from raw.file_entitlements
    where snapshot_id = $snapshot_id and is_accepted
),

grants as (
    select source, payload ->> '$.account_id' as account_id, payload ->> '$.entitlement_id' as entitlement_id
    from raw.file_grants
    where snapshot_id = $snapshot_id and is_accepted
),

counts as (
    select
        grants.source, count(*) as grant_count,
        count(*) filter (where accounts.account_id is null) as without_account,
        count(*) filter (where entitlements.entitlement_id is null) as without_entitlement,
        count(*) filter (where accounts.account_id is null or entitlements.entitlement_id is null) as unresolved
    from grants
    left join accounts on accounts.source = grants.source and accounts.account_id = grants.account_id
    left join entitlements
        on entitlements.source = grants.source and entitlements.entitlement_id = grants.entitlement_id
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
        when counts.unresolved = 0
            then counted(counts.grant_count, 'grant') || ' checked: every account and entitlement exists.'
        else concat_ws(
            ' ',
            case when counts.without_account > 0 then counted(counts.without_account, 'grant')
                || ' to an account that the accounts do not list; the report leaves these out.' end,
            case when counts.without_entitlement > 0 then counted(counts.without_entitlement, 'grant')
                || ' of an entitlement that the entitlements do not list; see the findings.' end
        )
    end as explanation
from meta.sources as sources
left join counts on counts.source = sources.source
where sources.snapshot_id = $snapshot_id and sources.kind = 'files'
