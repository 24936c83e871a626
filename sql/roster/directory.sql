-- Who are the people of a directory (an identity provider), as a SCIM source read them in one extract?
-- $snapshot_id: the extract
-- $source: the directory's name in the configuration
-- $last_day: the day on which the extract ended; later changes are not believed
with

records as (
    select
        payload ->> '$.id' as person_id, payload, page, ordinal,
        -- RFC 7643, section 4.3: the enterprise extension holds department and manager.
        payload -> '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"' as enterprise,
        nullif(trim(payload ->> '$.userName'), '') as user_name,
        case json_type(payload, '$.emails')
            when 'ARRAY' then cast(json_extract(payload, '$.emails') as json[])
            when 'OBJECT' then [json_extract(payload, '$.emails')]
        end as emails,
        cast(try_cast(payload ->> '$.meta.lastModified' as timestamptz) at time zone 'UTC' as date) as changed_on
    from raw.scim_users
    where
        snapshot_id = $snapshot_id and source = $source and is_accepted and coalesce(payload ->> '$.id', '') <> ''
    qualify row_number() over (partition by payload ->> '$.id' order by page, ordinal) = 1
),

addressed_records as (
    select
        *,
        list_filter(list_transform(emails, lambda x: trim(x ->> '$.value')), lambda x: x <> '') as addresses,
        nullif(trim(list_filter(emails, lambda x: lower(trim(x ->> '$.primary')) = 'true')[1] ->> '$.value'), '')
            as primary_address
    from records
),

-- A user without an address keeps the user name in its place, so that no user is lost.
people as (
    select
        *,
        coalesce(primary_address, addresses[1], user_name, person_id) as email,
        lower(trim(payload ->> '$.active')) as is_active
    from addressed_records
)

select
    people.person_id,
    people.email,
    list_sort(list_distinct(list_filter(
        list_append(coalesce(people.addresses, []), people.user_name),
        lambda x: contains(x, '@') and lower(x) <> lower(people.email)
    ))) as aliases,
    coalesce(
        nullif(trim(people.payload ->> '$.displayName'), ''),
        nullif(trim(people.payload ->> '$.name.formatted'), ''),
        nullif(
            trim(concat_ws(' ', people.payload ->> '$.name.givenName', people.payload ->> '$.name.familyName')), ''
        )
    ) as display_name,
    managers.email as manager_email,
    nullif(trim(people.enterprise ->> '$.department'), '') as department,
    nullif(trim(people.payload ->> '$.title'), '') as title,
    -- A user who is not active has left. SCIM has no date for that, so the last change stands for the last day:
    -- a login after it is certainly a login after the end.
    case people.is_active when 'true' then 'active' when 'false' then 'ended' end as employment_status,
    case
        when people.is_active = 'false' and people.changed_on between date '2000-01-01' and $last_day
            then people.changed_on
    end as end_date,
    case
        when lower(people.payload ->> '$.userType') in ('employee', 'contractor', 'service')
            then lower(people.payload ->> '$.userType')
    end as person_type,
    row_number() over (order by people.page, people.ordinal) as "row"
from people
left join people as managers on managers.person_id = people.enterprise ->> '$.manager.value'
