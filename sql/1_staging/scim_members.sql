/*
summary = "One user in one group, as a SCIM endpoint returned it."
reads   = ["raw.scim_groups"]
grain   = ["source", "scim_group_id", "scim_id"]

[columns]
source        = "varchar: the source's name in the configuration"
scim_group_id = "varchar: the group's id in SCIM"
group_name    = "varchar: its displayName, trimmed; null if empty"
scim_id       = "varchar: the member's id in SCIM"
*/
with

records as (
    select
        source, payload,
        case json_type(payload, '$.members')
            when 'ARRAY' then json_transform(json_extract(payload, '$.members'), '["JSON"]')
            when 'OBJECT' then [json_extract(payload, '$.members')]
        end as members
    from raw.scim_groups
    where snapshot_id = $snapshot_id and is_accepted and coalesce(payload ->> '$.id', '') <> ''
    qualify row_number() over (partition by source, payload ->> '$.id' order by page, ordinal) = 1
),

member_elements as (
    select
        source, payload ->> '$.id' as scim_group_id, nullif(trim(payload ->> '$.displayName'), '') as group_name,
        unnest(members) as element
    from records
),

member_ids as (
    select source, scim_group_id, group_name, coalesce(element ->> '$.value', element ->> '$') as scim_id
    from member_elements
    -- A nested group is not a user.
    where lower(coalesce(element ->> '$.type', 'User')) <> 'group'
)

select distinct source, scim_group_id, group_name, usable_id(scim_id) as scim_id
from member_ids
where usable_id(scim_id) is not null

/* example
name = "members may be objects or plain ids; nested groups are left out"
given."raw.scim_groups" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"g","displayName":"Ops","members":[{"value":"a"},{"value":"h","type":"group"},"b",{"value":"a"}]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"id":"empty","displayName":"Empty"}' },
]
expect = [
  { scim_group_id = "g", group_name = "Ops", scim_id = "a" },
  { scim_group_id = "g", group_name = "Ops", scim_id = "b" },
]
*/
