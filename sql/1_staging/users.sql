/*
summary = "One user of the accepted sweep, or account of an application's file, with fields renamed and cast. If an id came twice, the first record is kept."
reads   = ["raw.users", "raw.file_accounts"]
grain   = ["source", "account_id"]

[columns]
source              = "varchar: the source's name in the configuration"
account_id          = "varchar: the account's id in the source, unchanged"
user_name           = "varchar: login name, trimmed; null if empty"
email               = "varchar: e-mail address, trimmed; null if empty"
user_name_key       = "varchar: the user name, normalised for comparison: no invisible characters, NFC, lower case"
email_key           = "varchar: the e-mail address, normalised for comparison"
name_key            = "varchar: first and last name, normalised for comparison"
first_name          = "varchar: given name"
last_name           = "varchar: family name"
role_id             = "varchar: id of the account's role, as the user record gives it"
is_active           = "boolean: the active flag; null if it is missing or not a boolean"
is_directory        = "boolean: the activeDirectory flag"
is_sso              = "boolean: the createdSso flag"
principal_name      = "varchar: principal name in the directory"
directory_id        = "varchar: the directory's security id, else the distinguished name"
tenant_id           = "varchar: the tenant, on multi-tenant servers"
has_pending_expiration = "boolean: the account has an invitation that has not been accepted"
lists_groups        = "boolean: the record has a readable list of groups, possibly empty"
last_login_text     = "varchar: last login, as the source sent it; null if empty"
last_login_at       = "timestamp: last login, UTC; null if it cannot be read"
last_activity_text  = "varchar: last activity, as the source sent it; null if empty"
last_activity_at    = "timestamp: last activity, UTC; null if it cannot be read"
created_text        = "varchar: creation, as the source sent it; null if empty"
created_at          = "timestamp: creation, UTC; null if it cannot be read"
last_updated_text   = "varchar: last change, as the source sent it; null if empty"
last_updated_at     = "timestamp: last change, UTC; null if it cannot be read"
unreadable_fields   = "varchar[]: the fields with a value of an unexpected type, other than active and the times; their columns are null"
is_from_file        = "boolean: the account comes from the file of an application, which has no role of its own"
declared_type       = "varchar: for an account of a file, what the file says it is: human, service, shared or break_glass; unknown for any other word"
status_text         = "varchar: for an account of a file, the file's word for its status, in lower case; null if empty"
account_type_text   = "varchar: for an account of a file, the file's word for what it is, in lower case; null if empty"

[checks.timestamps_that_cannot_be_read]
level = "warn"
sql = """
select source || ': ' || counted(count(*), 'timestamp') || ' cannot be read and count as missing or unknown' as problem
from (
    select source from staging.users where last_login_text is not null and last_login_at is null
    union all
    select source from staging.users where last_activity_text is not null and last_activity_at is null
    union all
    select source from staging.users where created_text is not null and created_at is null
    union all
    select source from staging.users where last_updated_text is not null and last_updated_at is null
) as unreadable
group by source order by source
"""

[checks.timestamps_without_a_zone]
level = "warn"
sql = """
select source || ': ' || counted(count(*), 'timestamp') || ' without a time zone, read as UTC' as problem
from (
    select source, is_from_file, last_login_text as text from staging.users where last_login_at is not null
    union all
    select source, is_from_file, last_activity_text from staging.users where last_activity_at is not null
    union all
    select source, is_from_file, created_text from staging.users where created_at is not null
    union all
    select source, is_from_file, last_updated_text from staging.users where last_updated_at is not null
) as texts
-- An application by file may give dates alone: its documentation says so.
where
    (length(text) = 10 and not coalesce(is_from_file, false))
    or (length(text) <> 10 and not regexp_matches(text, '(Z|[+-][0-9]{2}(:?[0-9]{2})?)$'))
group by source order by source
"""

[checks.fields_that_cannot_be_read]
level = "warn"
sql = """
select source || ': ' || field || ' cannot be read, so it is not evaluated, for ' || counted(count(*), 'account') || ': '
    || array_to_string(list(account_id order by account_id) filter (where place <= 3), ', ')
    || case when count(*) > 3 then ' and ' || (count(*) - 3) || ' more' else '' end as problem
from (
    select source, field, account_id, row_number() over (partition by source, field order by account_id) as place
    from (select source, account_id, unnest(unreadable_fields) as field from staging.users) as fields
) as unreadable
group by source, field order by source, field
"""

[checks.active_flags_that_cannot_be_read]
level = "warn"
sql = """
select source || ': ' || counted(count(*), 'account') || ' without a readable active flag; their status is unknown' as problem
from staging.users where is_active is null and not is_from_file group by source order by source
"""

[checks.accounts_of_files_without_a_status]
level = "warn"
sql = """
select source || ': ' || counted(count(*), 'account') || case when count(*) = 1 then ' has' else ' have' end
    || ' no status and ' || case when count(*) = 1 then 'counts' else 'count' end || ' as of unknown status' as problem
from staging.users where is_active is null and is_from_file and status_text is null group by source order by source
"""

[checks.words_for_status_that_are_not_known]
level = "warn"
sql = """
select source || ': status ' || array_to_string(list('''' || word || '''' order by place) filter (where place <= 3), ', ')
    || case when count(*) > 3 then ' and ' || (count(*) - 3) || ' more' else '' end
    || case when count(*) = 1 then ' is' else ' are' end || ' not active, inactive or pending; ' || counted(sum(accounts)::bigint, 'account')
    || case when sum(accounts) = 1 then ' counts as of unknown status' else ' count as of unknown status' end as problem
from (
    select source, left(status_text, 40) as word, count(*) as accounts,
        row_number() over (partition by source order by count(*) desc, left(status_text, 40)) as place
    from staging.users where status_text is not null and is_active is null
    group by source, left(status_text, 40)
) as words
group by source order by source
"""

[checks.words_for_account_type_that_are_not_known]
level = "warn"
sql = """
select source || ': account_type ' || array_to_string(list('''' || word || '''' order by place) filter (where place <= 3), ', ')
    || case when count(*) > 3 then ' and ' || (count(*) - 3) || ' more' else '' end
    || case when count(*) = 1 then ' is' else ' are' end || ' not human, service, shared or break_glass; ' || counted(sum(accounts)::bigint, 'account')
    || case when sum(accounts) = 1 then ' counts as of unknown type' else ' count as of unknown type' end as problem
from (
    select source, left(account_type_text, 40) as word, count(*) as accounts,
        row_number() over (partition by source order by count(*) desc, left(account_type_text, 40)) as place
    from staging.users where account_type_text is not null and declared_type = 'unknown'
    group by source, left(account_type_text, 40)
) as words
group by source order by source
"""
*/
with

file_records as (
    select
        source, page, ordinal, payload,
        json_transform(payload, '{
            "account_id": "VARCHAR", "user_name": "VARCHAR", "email": "VARCHAR", "first_name": "VARCHAR",
            "last_name": "VARCHAR", "status": "VARCHAR", "created_at": "VARCHAR", "last_login_at": "VARCHAR",
            "account_type": "VARCHAR"
        }') as file
    from raw.file_accounts
    where snapshot_id = $snapshot_id and is_accepted
),

parsed as (
    select source, page, ordinal, payload, false as is_from_file, null as declared_type, null as status_text,
        null as account_type_text,
        json_transform(payload, '{
            "_id": "VARCHAR", "userName": "VARCHAR", "email": "VARCHAR", "firstName": "VARCHAR",
            "lastName": "VARCHAR", "roleId": "JSON", "role": "JSON", "active": "VARCHAR",
            "activeDirectory": "VARCHAR", "createdSso": "VARCHAR", "principalName": "VARCHAR",
            "objectSid": "VARCHAR", "dn": "VARCHAR", "tenantId": "VARCHAR", "pendingExpiration": "VARCHAR",
            "groups": "JSON", "lastLogin": "VARCHAR", "lastActivity": "VARCHAR", "created": "VARCHAR", "lastUpdated": "VARCHAR"
        }') as record
    from raw.users
    where snapshot_id = $snapshot_id and is_accepted
    union all
    -- The fields of a file under the names that Sisense gives them. A file has its groups apart from its accounts.
    select source, page, ordinal, payload, true,
        case when lower(trim(file.account_type)) in ('human', 'service', 'shared', 'break_glass')
            then lower(trim(file.account_type)) when trimmed(file.account_type) is not null then 'unknown' end,
        lower(trimmed(file.status)), lower(trimmed(file.account_type)),
        {
            '_id': file.account_id, 'userName': file.user_name, 'email': file.email, 'firstName': file.first_name,
            'lastName': file.last_name, 'roleId': null::json, 'role': null::json,
            'active': case lower(trim(file.status)) when 'active' then 'true' when 'inactive' then 'false'
                when 'pending' then 'false' end,
            'activeDirectory': null::varchar, 'createdSso': null::varchar, 'principalName': null::varchar,
            'objectSid': null::varchar, 'dn': null::varchar, 'tenantId': null::varchar,
            'pendingExpiration': case lower(trim(file.status)) when 'pending' then 'true' end,
            'groups': '[]'::json, 'lastLogin': file.last_login_at, 'lastActivity': null::varchar,
            'created': file.created_at, 'lastUpdated': null::varchar
        }
    from file_records
),

texts as (
    select *,
        concat_ws(
            ' ', record.userName, record.email, record.firstName, record.lastName, record.principalName,
            record.objectSid, record.dn, record.tenantId
        ) as all_texts
    from parsed
),

-- A list, object or boolean where a text belongs arrives as its JSON text. Checking JSON types is slow, so only
-- records whose texts could hold such a value are checked.
records as (
    select source, page, ordinal, record, is_from_file, declared_type, status_text, account_type_text,
        case
            when not is_from_file and (contains(all_texts, '{') or contains(all_texts, '[') or contains(all_texts, 'true')
                or contains(all_texts, 'false')) then list_filter(
                    [
                        'userName', 'email', 'firstName', 'lastName', 'principalName', 'objectSid', 'dn', 'tenantId'
                    ],
                    lambda name: json_type(payload, '$.' || name) in ('OBJECT', 'ARRAY', 'BOOLEAN')
                )
            else cast([] as varchar[])
        end as unreadable_texts
    from texts
),

-- Pages overlap when the list changes while it is read. The first record of each id is kept; nearly all have only one.
repeated_ids as (
    select source, record._id as account_id, min((page, ordinal)) as first_place
    from records
    where record._id is not null
    group by source, record._id
    having count(*) > 1
),

distinct_records as (
    select records.source, records.record, records.unreadable_texts, records.is_from_file, records.declared_type,
        records.status_text, records.account_type_text
    from records
    left join repeated_ids as repeated
        on repeated.source = records.source and repeated.account_id = records.record._id
    where
        records.record._id is not null
        and (repeated.account_id is null or repeated.first_place = (records.page, records.ordinal))
),

-- An expanded role is an object, under `role` or under `roleId`. Groups are ids or objects, in a list or alone. A null
-- in the list is not a group.
records_with_references as (
    select *,
        coalesce(
            usable_id(record.roleId ->> '$._id'), usable_id(record.roleId ->> '$'), usable_id(record.role ->> '$._id')
        ) as role_id,
        coalesce(record.roleId ->> '$', '') <> '' or coalesce(json_type(record.role), 'NULL') <> 'NULL' as has_role,
        case
            when record.groups is null or regexp_full_match(cast(record.groups as varchar), '\[("[^"\\]+"(, ?"[^"\\]+")*)?\]')
                then false
            else len(list_filter(
                coalesce(json_transform(record.groups, '["JSON"]'), [record.groups]),
                lambda x: x ->> '$' <> '' and usable_id(coalesce(x ->> '$._id', x ->> '$')) is null
            )) > 0
        end as has_unreadable_groups
    from distinct_records
),

records_with_unreadable_fields as (
    select *,
        list_concat(unreadable_texts, list_filter(
            [
                case when role_id is null and has_role then 'roleId' end,
                case when has_unreadable_groups then 'groups' end,
                case when lower(trim(record.activeDirectory)) not in ('true', 'false', '') then 'activeDirectory' end,
                case when lower(trim(record.createdSso)) not in ('true', 'false', '') then 'createdSso' end
            ],
            lambda name: name is not null
        )) as unreadable_fields
    from records_with_references
),

-- From here on, unreadable values are null.
readable_records as (
    select *,
        case when not list_contains(unreadable_texts, 'userName') then record.userName end as user_name,
        case when not list_contains(unreadable_texts, 'email') then record.email end as email,
        case when not list_contains(unreadable_texts, 'firstName') then trimmed(record.firstName) end as first_name,
        case when not list_contains(unreadable_texts, 'lastName') then trimmed(record.lastName) end as last_name,
        case when not list_contains(unreadable_texts, 'principalName') then nullif(trim(record.principalName), '') end
            as principal_name,
        case when not list_contains(unreadable_texts, 'objectSid') then nullif(trim(record.objectSid), '') end
            as object_sid,
        case when not list_contains(unreadable_texts, 'dn') then nullif(trim(record.dn), '') end as distinguished_name,
        case when not list_contains(unreadable_texts, 'tenantId') then nullif(trim(record.tenantId), '') end as tenant_id
    from records_with_unreadable_fields
),

records_with_time_texts as (
    select *,
        [
            nullif(trim(record.lastLogin), ''), nullif(trim(record.lastActivity), ''),
            nullif(trim(record.created), ''), nullif(trim(record.lastUpdated), '')
        ] as time_texts
    from readable_records
),

-- Only ISO 8601 times between 2000 and 2199 count: zero dates (1970, 0001) and sentinels (9999) are not real times.
-- A time without a zone is UTC, the time zone of the session.
records_with_times as (
    select *,
        list_transform(time_texts, lambda t: case
            when regexp_full_match(t, '2[01][0-9]{2}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?( ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))?)?')
                then try_cast(t as timestamptz)
        end) as time_values
    from records_with_time_texts
)

select
    source,
    record._id as account_id,
    trimmed(records.user_name) as user_name,
    trimmed(records.email) as email,
    match_key(records.user_name) as user_name_key,
    match_key(records.email) as email_key,
    case when not (list_contains(unreadable_texts, 'firstName') or list_contains(unreadable_texts, 'lastName'))
        then match_key(concat_ws(' ', first_name, last_name)) end as name_key,
    first_name,
    last_name,
    role_id,
    case lower(record.active) when 'true' then true when 'false' then false end as is_active,
    case lower(record.activeDirectory) when 'true' then true when 'false' then false end as is_directory,
    case lower(record.createdSso) when 'true' then true when 'false' then false end as is_sso,
    principal_name,
    coalesce(object_sid, distinguished_name) as directory_id,
    tenant_id,
    coalesce(trim(record.pendingExpiration), '') not in ('', 'false', '0', '[]', '{}') as has_pending_expiration,
    coalesce(json_type(record.groups) <> 'NULL', false) and not has_unreadable_groups as lists_groups,
    time_texts[1] as last_login_text,
    time_values[1] at time zone 'UTC' as last_login_at,
    time_texts[2] as last_activity_text,
    time_values[2] at time zone 'UTC' as last_activity_at,
    time_texts[3] as created_text,
    time_values[3] at time zone 'UTC' as created_at,
    time_texts[4] as last_updated_text,
    time_values[4] at time zone 'UTC' as last_updated_at,
    unreadable_fields,
    is_from_file,
    declared_type,
    status_text,
    account_type_text
from records_with_times as records

/* example
name = "every form of timestamp is either read or null"
given."raw.users" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"offset","lastLogin":"2025-03-01T12:00:00+02:00"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"no zone","lastLogin":"2025-03-01 12:00:00"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"_id":"bare date","lastLogin":"2025-03-01"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 4, is_accepted = true, payload = '{"_id":"zero date","lastLogin":"0001-01-01T00:00:00Z"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 5, is_accepted = true, payload = '{"_id":"hour 24","lastLogin":"2025-03-01T24:00:00Z"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 6, is_accepted = true, payload = '{"_id":"word","lastLogin":"infinity"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 7, is_accepted = true, payload = '{"_id":"empty","lastLogin":""}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 8, is_accepted = true, payload = '{"_id":"null value","lastLogin":null}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 9, is_accepted = true, payload = '{"_id":"number","lastLogin":1740830400}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 10, is_accepted = true, payload = '{"_id":"no such day","lastLogin":"2025-02-30T12:00:00Z"}' },
]
expect = [
  { account_id = "offset", last_login_text = "2025-03-01T12:00:00+02:00", last_login_at = 2025-03-01T10:00:00Z },
  { account_id = "no zone", last_login_text = "2025-03-01 12:00:00", last_login_at = 2025-03-01T12:00:00Z },
  { account_id = "bare date", last_login_text = "2025-03-01", last_login_at = 2025-03-01T00:00:00Z },
  { account_id = "zero date", last_login_text = "0001-01-01T00:00:00Z", last_login_at = "<null>" },
  { account_id = "hour 24", last_login_text = "2025-03-01T24:00:00Z", last_login_at = "<null>" },
  { account_id = "word", last_login_text = "infinity", last_login_at = "<null>" },
  { account_id = "empty", last_login_text = "<null>", last_login_at = "<null>" },
  { account_id = "null value", last_login_text = "<null>", last_login_at = "<null>" },
  { account_id = "number", last_login_text = "1740830400", last_login_at = "<null>" },
  { account_id = "no such day", last_login_text = "2025-02-30T12:00:00Z", last_login_at = "<null>" },
]
*/
/* example
name = "a repeated id keeps its first record; rejected sweeps and other snapshots are ignored"
given."raw.users" = [
  { snapshot_id = "example", source = "s", page = 2, ordinal = 1, is_accepted = true, payload = '{"_id":"a","userName":"late"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"a","userName":"first"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = false, payload = '{"_id":"b"}' },
  { snapshot_id = "earlier", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"c"}' },
]
expect = [ { account_id = "a", user_name = "first" } ]
*/
/* example
name = "surrounding blanks and invisible characters are removed; a key is composed (NFC) and in lower case"
given."raw.users" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"blanks","userName":"\u3000ADA\u00a0","email":"\tada@example.com\u200b","firstName":"\u2003Ada","lastName":"Ek\u00a0"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"inside","email":"a\u200bda@exam\u00adple.com"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"_id":"decomposed","userName":"JOSE\u0301","firstName":"Jose\u0301"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 4, is_accepted = true, payload = '{"_id":"nothing","userName":"\u200b \u2060","email":"\u3164"}' },
]
expect = [
  { account_id = "blanks", user_name = "ADA", user_name_key = "ada", email = "ada@example.com", email_key = "ada@example.com", first_name = "Ada", last_name = "Ek", name_key = "ada ek" },
  { account_id = "inside", email_key = "ada@example.com", user_name = "<null>", user_name_key = "<null>", name_key = "<null>" },
  { account_id = "decomposed", user_name_key = "josé", name_key = "josé" },
  { account_id = "nothing", user_name = "<null>", user_name_key = "<null>", email = "<null>", email_key = "<null>" },
]
*/
/* example
name = "a field of an unexpected type is null and listed as unreadable; text that merely looks like JSON is kept"
given."raw.users" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"_id":"shapes","userName":{"a":1},"email":["a@example.com"],"firstName":true,"roleId":["r"],"groups":{},"activeDirectory":1,"active":"true"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"_id":"texts","userName":"[ext] true","firstName":"{Ann}","roleId":{"_id":"r"},"groups":"g","active":1,"createdSso":"True"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 3, is_accepted = true, payload = '{"_id":"numbers","userName":7,"roleId":7,"role":{"name":"x"},"groups":[7,null,{"_id":"g"}],"active":null}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 4, is_accepted = true, payload = '{"_id":"mixed","role":true,"groups":["g",["h"]],"pendingExpiration":false}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 5, is_accepted = true, payload = '{"_id":"nothing","userName":null,"email":"","role":null,"groups":null,"createdSso":null}' },
]
expect = [
  { account_id = "shapes", user_name = "<null>", user_name_key = "<null>", email = "<null>", email_key = "<null>", first_name = "<null>", role_id = "<null>", is_active = true, lists_groups = false, unreadable_fields = ["userName", "email", "firstName", "roleId", "groups", "activeDirectory"] },
  { account_id = "texts", user_name = "[ext] true", first_name = "{Ann}", role_id = "r", is_active = "<null>", is_sso = true, lists_groups = true, unreadable_fields = [] },
  { account_id = "numbers", user_name = "7", role_id = "7", is_active = "<null>", lists_groups = true, unreadable_fields = [] },
  { account_id = "mixed", role_id = "<null>", has_pending_expiration = false, lists_groups = false, unreadable_fields = ["roleId", "groups"] },
  { account_id = "nothing", user_name = "<null>", lists_groups = false, unreadable_fields = [] },
]
*/
/* example
name = "an account of a file has a status, a declared type and no role; any other status or type is not known"
given."raw.file_accounts" = [
  { snapshot_id = "example", source = "f", page = 1, ordinal = 1, is_accepted = true, payload = '{"account_id":"a","user_name":" Ann ","email":"Ann@Example.com","first_name":"Ann","last_name":"Ek","status":"Active","created_at":"2025-01-01","last_login_at":"2025-12-01T08:00:00+01:00","account_type":"Service"}' },
  { snapshot_id = "example", source = "f", page = 1, ordinal = 2, is_accepted = true, payload = '{"account_id":"b","user_name":"[b]","status":"inactive"}' },
  { snapshot_id = "example", source = "f", page = 1, ordinal = 3, is_accepted = true, payload = '{"account_id":"c","status":"pending"}' },
  { snapshot_id = "example", source = "f", page = 1, ordinal = 4, is_accepted = true, payload = '{"account_id":"d","status":"locked","account_type":"robot"}' },
  { snapshot_id = "example", source = "f", page = 1, ordinal = 5, is_accepted = true, payload = '{"account_id":"e"}' },
]
expect = [
  { account_id = "a", user_name = "Ann", email_key = "ann@example.com", name_key = "ann ek", is_active = true, has_pending_expiration = false, role_id = "<null>", lists_groups = true, created_at = 2025-01-01T00:00:00Z, last_login_at = 2025-12-01T07:00:00Z, unreadable_fields = [], is_from_file = true, declared_type = "service" },
  { account_id = "b", user_name = "[b]", email_key = "<null>", name_key = "<null>", is_active = false, has_pending_expiration = false, role_id = "<null>", lists_groups = true, created_at = "<null>", last_login_at = "<null>", unreadable_fields = [], is_from_file = true, declared_type = "<null>" },
  { account_id = "c", user_name = "<null>", email_key = "<null>", name_key = "<null>", is_active = false, has_pending_expiration = true, role_id = "<null>", lists_groups = true, created_at = "<null>", last_login_at = "<null>", unreadable_fields = [], is_from_file = true, declared_type = "<null>" },
  { account_id = "d", user_name = "<null>", email_key = "<null>", name_key = "<null>", is_active = "<null>", has_pending_expiration = false, role_id = "<null>", lists_groups = true, created_at = "<null>", last_login_at = "<null>", unreadable_fields = [], is_from_file = true, declared_type = "unknown", status_text = "locked", account_type_text = "robot" },
  { account_id = "e", user_name = "<null>", email_key = "<null>", name_key = "<null>", is_active = "<null>", has_pending_expiration = false, role_id = "<null>", lists_groups = true, created_at = "<null>", last_login_at = "<null>", unreadable_fields = [], is_from_file = true, declared_type = "<null>" },
]
*/
