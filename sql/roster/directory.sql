-- Who are the people of a directory or another identity provider, as one extract read them?
-- $snapshot_id: the extract
-- $source: the provider's name in the configuration
-- $finished_at: the end of the extract; later changes are not believed
with

scim_records as (
    select
        payload ->> '$.id' as person_id, payload, page, ordinal,
        -- RFC 7643, section 4.3: the enterprise extension holds department and manager.
        payload -> '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"' as enterprise,
        nullif(trim(payload ->> '$.userName'), '') as user_name,
        case json_type(payload, '$.emails')
            when 'ARRAY' then cast(json_extract(payload, '$.emails') as json[])
            when 'OBJECT' then [json_extract(payload, '$.emails')]
        end as emails,
        lower(trim(payload ->> '$.active')) as is_active,
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
    from scim_records
),

scim_people as (
    select
        person_id, page, ordinal,
        -- A user without an address keeps the user name in its place, so that no user is lost.
        coalesce(primary_address, addresses[1], user_name, person_id) as email,
        list_filter(list_append(coalesce(addresses, []), user_name), lambda x: contains(x, '@')) as aliases,
        coalesce(
            nullif(trim(payload ->> '$.displayName'), ''),
            nullif(trim(payload ->> '$.name.formatted'), ''),
            nullif(trim(concat_ws(' ', payload ->> '$.name.givenName', payload ->> '$.name.familyName')), '')
        ) as display_name,
        enterprise ->> '$.manager.value' as manager_key,
        cast(null as varchar) as manager_address,
        enterprise ->> '$.department' as department,
        payload ->> '$.title' as title,
        -- A user who is not active has left. SCIM has no date for that, so the last change stands for the last day:
        -- a login after it is certainly a login after the end.
        case is_active when 'true' then 'active' when 'false' then 'ended' end as employment_status,
        case when is_active = 'false' then changed_on end as left_on,
        cast(null as date) as planned_end,
        payload ->> '$.userType' as person_type,
        cast([] as varchar[]) as numbers
    from addressed_records
),

directory_records as (
    select
        payload ->> '$.id' as person_id, page, ordinal, payload,
        payload -> '$.profile' as profile,
        upper(trim(payload ->> '$.status')) as okta_status,
        payload ->> '$.accountEnabled' as is_enabled,
        try_cast(payload ->> '$.statusChanged' as timestamptz) at time zone 'UTC' as changed_at,
        try_cast(payload ->> '$.employeeLeaveDateTime' as timestamptz) at time zone 'UTC' as leaves_at,
        coalesce(try_cast(payload -> '$.otherMails' as varchar[]), []) as other_addresses,
        coalesce(try_cast(payload -> '$.proxyAddresses' as varchar[]), []) as proxy_addresses
    from raw.directory_users
    where
        snapshot_id = $snapshot_id and source = $source and is_accepted and coalesce(payload ->> '$.id', '') <> ''
    qualify row_number() over (partition by payload ->> '$.id' order by page, ordinal) = 1
),

directory_people as (
    select
        person_id, page, ordinal,
        coalesce(
            trimmed(profile ->> '$.email'), trimmed(payload ->> '$.mail'), trimmed(profile ->> '$.login'),
            trimmed(payload ->> '$.userPrincipalName'), person_id
        ) as email,
        list_concat(
            [trimmed(profile ->> '$.login'), trimmed(payload ->> '$.userPrincipalName')],
            other_addresses,
            -- "smtp:ann@example.com"; addresses of other kinds, such as X500, are none
            list_transform(
                list_filter(proxy_addresses, lambda x: lower(x) like 'smtp:%'), lambda x: substr(x, 6)
            )
        ) as aliases,
        coalesce(
            trimmed(profile ->> '$.displayName'), trimmed(payload ->> '$.displayName'),
            nullif(trim(concat_ws(' ', profile ->> '$.firstName', profile ->> '$.lastName')), '')
        ) as display_name,
        trimmed(profile ->> '$.managerId') as manager_key,
        coalesce(
            trimmed(payload ->> '$.manager.mail'), trimmed(payload ->> '$.manager.userPrincipalName'),
            case when contains(profile ->> '$.managerId', '@') then trimmed(profile ->> '$.managerId') end,
            case when contains(profile ->> '$.manager', '@') then trimmed(profile ->> '$.manager') end
        ) as manager_address,
        coalesce(profile ->> '$.department', payload ->> '$.department') as department,
        coalesce(profile ->> '$.title', payload ->> '$.jobTitle') as title,
        case
            when okta_status in ('ACTIVE', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'RECOVERY', 'PROVISIONED') then 'active'
            when okta_status in ('SUSPENDED', 'STAGED') then 'leave'
            when okta_status = 'DEPROVISIONED' or is_enabled = 'false' then 'ended'
            when is_enabled = 'true' and leaves_at < $finished_at then 'ended'
            when is_enabled = 'true' then 'active'
        end as employment_status,
        case when okta_status = 'DEPROVISIONED' then cast(changed_at as date) end as left_on,
        cast(leaves_at as date) as planned_end,
        profile ->> '$.userType' as person_type,
        -- Okta does not say what a managerId is: an id, a login, an address or a number of the company.
        [person_id, profile ->> '$.login', profile ->> '$.email', profile ->> '$.employeeNumber'] as numbers
    from directory_records
),

people as (
    select * from scim_people
    union all
    select * from directory_people
),

manager_keys as (
    select person_id, email, lower(trim(unnest(list_distinct(list_append(numbers, person_id))))) as manager_key
    from people
),

managers as (
    select manager_key, any_value(email) as email
    from manager_keys
    where manager_key <> ''
    group by manager_key
    having count(distinct person_id) = 1
)

select
    people.person_id,
    people.email,
    list_sort(list_distinct(list_filter(
        list_transform(people.aliases, lambda x: trim(x)), lambda x: x <> '' and lower(x) <> lower(people.email)
    ))) as aliases,
    people.display_name,
    coalesce(managers.email, people.manager_address) as manager_email,
    nullif(trim(people.department), '') as department,
    nullif(trim(people.title), '') as title,
    people.employment_status,
    case
        when people.planned_end is not null then people.planned_end
        when people.left_on between date '2000-01-01' and cast($finished_at as date) then people.left_on
    end as end_date,
    case
        when lower(people.person_type) in ('employee', 'contractor', 'service') then lower(people.person_type)
    end as person_type,
    row_number() over (order by people.page, people.ordinal, people.person_id) as "row"
from people
left join managers on managers.manager_key = lower(people.manager_key)
