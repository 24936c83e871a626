/*
summary = "One accepted user record, with the fields that the completeness checks need."
reads   = ["raw.users", "raw.scim_users", "raw.directory_users", "raw.file_accounts"]
*/
with

records as (
    select
        source, page, ordinal, payload,
        json_transform(
            payload,
            '{"_id": "JSON", "roleId": "VARCHAR", "role": {"_id": "VARCHAR"}, "tenantId": "VARCHAR", "groups": ["VARCHAR"],
              "active": "VARCHAR", "pendingExpiration": "VARCHAR"}'
        ) as record
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
)

select
    source,
    'users' as resource,
    page,
    ordinal,
    record._id ->> '$' as account_id,
    coalesce(record._id ->> '$', '') <> ''
        and json_type(record._id) in ('VARCHAR', 'BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT') as has_id,
    -- An object has become text that begins with a brace. Only such records are parsed again.
    coalesce(
        case when left(record.roleid, 1) = '{' then usable_id(payload ->> '$.roleId._id') else usable_id(record.roleid) end,
        usable_id(record.role._id)
    ) as role_id,
    record.tenantid as tenant_id,
    -- Active accounts and open invitations.
    coalesce(lower(record.active) = 'true', false)
        or coalesce(lower(record.active) = 'false', false) and coalesce(trim(record.pendingexpiration), '') not in ('', 'false', '0', '[]', '{}') as takes_seat,
    -- Groups are plain ids, or objects with an id, and some servers send a single group without the list around it. No
    -- text after the brace in the order of characters means no object.
    case
        when list_max(record.groups) < '{' or len(record.groups) = 0 then record.groups
        when json_type(payload, '$.groups') = 'ARRAY' then list_transform(
            json_transform(payload, '{"groups": ["JSON"]}').groups, lambda x: usable_id(coalesce(x ->> '$._id', x ->> '$'))
        )
        when json_type(payload, '$.groups') <> 'NULL' then [
            usable_id(coalesce(payload ->> '$.groups._id', payload ->> '$.groups'))
        ]
    end as group_ids
from records

union all

-- In a source of kind scim, the SCIM users are the accounts. Next to a Sisense they are only compared with its users.
select
    source,
    'scim_users' as resource,
    page,
    ordinal,
    payload ->> '$.id' as account_id,
    coalesce(payload ->> '$.id', '') <> ''
        and coalesce(json_type(payload, '$.id'), '') in ('VARCHAR', 'BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT') as has_id,
    null as role_id,
    null as tenant_id,
    null as takes_seat,
    cast(null as varchar[]) as group_ids
from raw.scim_users
where snapshot_id = $snapshot_id and is_accepted
    and source not in (select source from raw.users where snapshot_id = $snapshot_id)

union all

-- In a directory, the users are people. They are counted as accounts are.
select
    source,
    'directory_users' as resource,
    page,
    ordinal,
    payload ->> '$.id' as account_id,
    coalesce(payload ->> '$.id', '') <> '' and coalesce(json_type(payload, '$.id'), '') = 'VARCHAR' as has_id,
    null as role_id,
    null as tenant_id,
    null as takes_seat,
    cast(null as varchar[]) as group_ids
from raw.directory_users
where snapshot_id = $snapshot_id and is_accepted

union all

select
    source,
    'file_accounts' as resource,
    page,
    ordinal,
    payload ->> '$.account_id' as account_id,
    coalesce(payload ->> '$.account_id', '') <> '' as has_id,
    null as role_id,
    null as tenant_id,
    null as takes_seat,
    cast(null as varchar[]) as group_ids
from raw.file_accounts
where snapshot_id = $snapshot_id and is_accepted
