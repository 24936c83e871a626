/*
summary = "One account or group that a data model is shared with."
reads   = ["raw.models"]
grain   = ["source", "model_id", "party_type", "party_id"]

[columns]
source      = "varchar: the source's name in the configuration"
model_id    = "varchar: the model"
party_type  = "varchar: user, group or unknown"
party_id    = "varchar: the account or group; it may not exist"
level       = "varchar: edit, read, use or unknown; the highest of several with one party"
is_everyone = "boolean: the source says that the party is the built-in group of all accounts"
*/
with

shares as (
    select
        source, coalesce(payload ->> '$._id', payload ->> '$.oid') as model_id,
        unnest(json_transform(payload, '{"shares": [{
            "partyId": "VARCHAR", "party": "VARCHAR", "type": "VARCHAR", "permission": "VARCHAR",
            "belongsToEveryoneGroup": "VARCHAR"
        }]}').shares) as share
    from raw.models
    where snapshot_id = $snapshot_id and is_accepted
),

-- The two endpoints name the party differently.
parties as (
    select
        source, model_id,
        case when lower(share.type) in ('user', 'group') then lower(share.type) else 'unknown' end as party_type,
        coalesce(usable_id(share.partyId), usable_id(share.party)) as party_id,
        case lower(share.permission) when 'w' then 1 when 'a' then 2 when 'r' then 3 else 4 end as position,
        coalesce(lower(share.belongsToEveryoneGroup) = 'true', false) as is_everyone
    from shares
)

select
    source,
    model_id,
    party_type,
    party_id,
    case min(position) when 1 then 'edit' when 2 then 'read' when 3 then 'use' else 'unknown' end as level,
    bool_or(is_everyone) as is_everyone
from parties
where model_id is not null and party_id is not null
group by source, model_id, party_type, party_id

/* example
name = "w is edit, a is read, r is use; both endpoints' names of the party are read"
given."raw.models" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"m","shares":[{"partyId":"a","type":"user","permission":"w"},{"party":"b","type":"user","permission":"a"},{"partyId":"g","type":"group","permission":"r","belongsToEveryoneGroup":true},{"partyId":"b","type":"user","permission":"r"},{"partyId":"x","type":"team","permission":"?"},{"type":"user"}]}' },
]
expect = [
  { model_id = "m", party_type = "user", party_id = "a", level = "edit", is_everyone = false },
  { model_id = "m", party_type = "user", party_id = "b", level = "read", is_everyone = false },
  { model_id = "m", party_type = "group", party_id = "g", level = "use", is_everyone = true },
  { model_id = "m", party_type = "unknown", party_id = "x", level = "unknown", is_everyone = false },
]
*/
