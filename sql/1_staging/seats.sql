/*
summary = "The seats of one class that the source's licence has, and how many are in use by the source's own count."
reads   = ["raw.posture"]
grain   = ["source", "seat_class"]

[columns]
source       = "varchar: the source's name in the configuration"
seat_class   = "varchar: admin, designer or viewer"
seats_used   = "bigint: seats in use; null if not known"
seats_bought = "bigint: seats of the licence; null if not known"
expires_at   = "timestamp: end of the licence, UTC; null if not known"
is_trial     = "boolean: the licence is a trial; null if not known"
*/
with

records as (
    select
        source, page, ordinal,
        json_transform(payload, '{
            "inUseAdmins": "VARCHAR", "maxAdmins": "VARCHAR", "inUseDesigners": "VARCHAR", "maxDesigners": "VARCHAR",
            "inUseViewers": "VARCHAR", "maxViewers": "VARCHAR", "expirationDate": "VARCHAR", "trial": "VARCHAR"
        }') as record
    from raw.posture
    where snapshot_id = $snapshot_id and is_accepted and payload ->> '$.setting' = 'seats'
    qualify row_number() over (partition by source order by page, ordinal) = 1
),

seats as (
    select *, 'admin' as seat_class, record.inUseAdmins as used, record.maxAdmins as bought from records
    union all
    select *, 'designer', record.inUseDesigners, record.maxDesigners from records
    union all
    select *, 'viewer', record.inUseViewers, record.maxViewers from records
)

select
    source,
    seat_class,
    case when regexp_full_match(used, '[0-9]{1,9}') then used::bigint end as seats_used,
    case when regexp_full_match(bought, '[0-9]{1,9}') then bought::bigint end as seats_bought,
    try_cast(record.expirationDate as timestamptz) at time zone 'UTC' as expires_at,
    case lower(record.trial) when 'true' then true when 'false' then false end as is_trial
from seats
where used is not null or bought is not null

/* example
name = "each class is a row; what is missing or not a number is null"
given."raw.posture" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"setting":"seats","inUseAdmins":3,"maxAdmins":10,"inUseViewers":"7","maxViewers":"unlimited","expirationDate":"2027-01-01T00:00:00.000Z","trial":false}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"setting":"sso","maxAdmins":1}' },
]
expect = [
  { seat_class = "admin", seats_used = 3, seats_bought = 10, expires_at = 2027-01-01T00:00:00Z, is_trial = false },
  { seat_class = "viewer", seats_used = 7, seats_bought = "<null>" },
]
*/
