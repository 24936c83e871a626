/*
summary = "One user of a directory (Okta or Entra ID). If an id came twice, the first record is kept."
reads   = ["raw.directory_users"]
grain   = ["source", "user_id"]

[columns]
source          = "varchar: the source's name in the configuration"
user_id         = "varchar: the user's id in the directory, unchanged"
user_name       = "varchar: login or principal name, trimmed; null if empty"
email           = "varchar: e-mail address; without one, the login or principal name"
user_name_key   = "varchar: the user name, normalised for comparison"
email_key       = "varchar: the e-mail address, normalised for comparison"
alias_keys      = "varchar[]: further addresses, normalised for comparison"
is_active       = "boolean: the user may sign in; null if the directory does not say"
created_at      = "timestamp: creation, UTC; null if it cannot be read"
last_sign_in_at = "timestamp: last sign-in to the directory, UTC; null if there was none or it cannot be read"
*/
select
    source,
    payload ->> '$.id' as user_id,
    trimmed(coalesce(payload ->> '$.profile.login', payload ->> '$.userPrincipalName')) as user_name,
    coalesce(trimmed(payload ->> '$.profile.email'), trimmed(payload ->> '$.mail'), user_name) as email,
    match_key(user_name) as user_name_key,
    match_key(email) as email_key,
    list_sort(list_distinct(list_filter(
        list_transform(
            list_concat(
                coalesce(try_cast(payload -> '$.otherMails' as varchar[]), []),
                list_transform(
                    list_filter(
                        coalesce(try_cast(payload -> '$.proxyAddresses' as varchar[]), []), lambda x: lower(x) like 'smtp:%'
                    ),
                    lambda x: substr(x, 6)
                )
            ),
            lambda x: match_key(x)
        ),
        lambda x: x is not null
    ))) as alias_keys,
    case
        when upper(payload ->> '$.status') in ('ACTIVE', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'RECOVERY', 'PROVISIONED') then true
        when upper(payload ->> '$.status') in ('SUSPENDED', 'STAGED', 'DEPROVISIONED') then false
        when payload ->> '$.accountEnabled' = 'true' then true
        when payload ->> '$.accountEnabled' = 'false' then false
    end as is_active,
    try_cast(coalesce(payload ->> '$.created', payload ->> '$.createdDateTime') as timestamptz) at time zone 'UTC' as created_at,
    -- Microsoft Graph writes the year 1 for a user who never signed in.
    nullif(
        try_cast(
            coalesce(payload ->> '$.lastLogin', payload ->> '$.signInActivity.lastSignInDateTime') as timestamptz
        ) at time zone 'UTC',
        timestamp '0001-01-01 00:00:00'
    ) as last_sign_in_at
from raw.directory_users
where snapshot_id = $snapshot_id and is_accepted and coalesce(payload ->> '$.id', '') <> ''
qualify row_number() over (partition by source, payload ->> '$.id' order by page, ordinal) = 1

/* example
name = "users of Okta and of Entra ID in the same columns; an unknown status is neither active nor inactive"
given."raw.directory_users" = [
  { snapshot_id = "example", source = "okta", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"o1","status":"LOCKED_OUT","lastLogin":"2026-01-01T10:00:00.000Z","profile":{"login":"ann","email":" Ann@x "}}' },
  { snapshot_id = "example", source = "okta", page = 1, ordinal = 2, is_accepted = true, payload = '{"id":"o2","status":"SUSPENDED","profile":{"login":"bo@x"}}' },
  { snapshot_id = "example", source = "okta", page = 1, ordinal = 3, is_accepted = true, payload = '{"id":"o3","status":"NEW"}' },
  { snapshot_id = "example", source = "entra", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"e1","accountEnabled":false,"userPrincipalName":"cy@x","mail":null,"otherMails":["C@y"],"proxyAddresses":["SMTP:cy@z","x500:/o=x"]}' },
  { snapshot_id = "example", source = "entra", page = 2, ordinal = 1, is_accepted = true, payload = '{"id":"e1","accountEnabled":true}' },
]
expect = [
  { user_id = "o1", user_name = "ann", email = "Ann@x", email_key = "ann@x", is_active = true, last_sign_in_at = 2026-01-01T10:00:00Z },
  { user_id = "o2", email = "bo@x", is_active = false, alias_keys = [] },
  { user_id = "o3", user_name = "<null>", email = "<null>", is_active = "<null>" },
  { user_id = "e1", user_name = "cy@x", email = "cy@x", alias_keys = ["c@y", "cy@z"], is_active = false },
]
*/
