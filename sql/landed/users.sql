/*
summary = "One accepted user record, with the fields that the completeness checks need."
reads   = ["raw.users", "raw.scim_users", "raw.directory_users", "raw.file_accounts"]
*/
with

records as (
    select
        source, page, ordinal, hash(payload::varchar) as content_hash,
        json_transform(
            payload,
            '{"_id": "JSON", "roleId": "JSON", "role": {"_id": "VARCHAR"}, "tenantId": "VARCHAR", "groups": "JSON",
              "active": "VARCHAR", "pendingExpiration": "VARCHAR"}'
        ) as record
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
),

records_with_groups as (
    select
        source, page, ordinal, content_hash, record,
        -- Some servers send a single group without the list around it.
        case json_type(record.groups)
            when 'ARRAY' then json_transform(record.groups, '["JSON"]')
            when 'NULL' then null
            else [record.groups]
        end as groups
    from records
)

select
    source,
    page,
    ordinal,
    record._id ->> '$' as account_id,
    coalesce(record._id ->> '$', '') <> ''
        and json_type(record._id) in ('VARCHAR', 'BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT') as has_id,
    coalesce(
        usable_id(record.roleid ->> '$._id'), usable_id(record.roleid ->> '$'), usable_id(record.role._id)
    ) as role_id,
    record.tenantid as tenant_id,
    -- Active accounts and open invitations.
    coalesce(lower(record.active) = 'true', false)
        or coalesce(lower(record.active) = 'false', false) and coalesce(trim(record.pendingexpiration), '') not in ('', 'false', '0', '[]', '{}') as takes_seat,
    -- Groups are objects with an id, or plain ids.
    list_transform(groups, lambda x: usable_id(coalesce(x ->> '$._id', x ->> '$'))) as group_ids,
    content_hash
from records_with_groups

union all

-- In a source of kind scim, the SCIM users are the accounts. Next to a Sisense they are only compared with its users.
select
    source,
    page,
    ordinal,
    payload ->> '$.id' as account_id,
    coalesce(payload ->> '$.id', '') <> ''
        and coalesce(json_type(payload, '$.id'), '') in ('VARCHAR', 'BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT') as has_id,
    null as role_id,
    null as tenant_id,
    null as takes_seat,
    cast(null as varchar[]) as group_ids,
    hash(payload::varchar) as content_hash
from raw.scim_users
where snapshot_id = $snapshot_id and is_accepted
    and source not in (select source from raw.users where snapshot_id = $snapshot_id)

union all

-- In a directory, the users are people. They are counted as accounts are.
select
    source,
    page,
    ordinal,
    payload ->> '$.id' as account_id,
    coalesce(payload ->> '$.id', '') <> '' and coalesce(json_type(payload, '$.id'), '') = 'VARCHAR' as has_id,
    null as role_id,
    null as tenant_id,
    null as takes_seat,
    cast(null as varchar[]) as group_ids,
    hash(payload::varchar) as content_hash
from raw.directory_users
where snapshot_id = $snapshot_id and is_accepted

union all

select
    source,
    page,
    ordinal,
    payload ->> '$.account_id' as account_id,
    coalesce(payload ->> '$.account_id', '') <> '' as has_id,
    null as role_id,
    null as tenant_id,
    null as takes_seat,
    cast(null as varchar[]) as group_ids,
    hash(payload::varchar) as content_hash
from raw.file_accounts
where snapshot_id = $snapshot_id and is_accepted
