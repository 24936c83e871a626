/*
summary = "How accounts sign in to one source: single sign-on, and the lockout after failed logins. Null is not known."
reads   = ["raw.posture"]
grain   = ["source"]

[columns]
source                  = "varchar: the source's name in the configuration"
is_sso_enabled          = "boolean: single sign-on is on"
sso_type                = "varchar: kind of single sign-on, such as saml, jwt or openid"
creates_accounts        = "boolean: the first login of a stranger creates an account (just in time)"
is_legacy_jwt           = "boolean: the older form of JWT, which is less secure, is accepted"
syncs_groups            = "boolean: groups are taken from the tokens of single sign-on"
is_lockout_enabled      = "boolean: accounts are locked after failed logins"
max_failed_attempts     = "bigint: failed logins until an account is locked"
failed_attempts_minutes = "bigint: minutes within which failed logins are counted"
lockout_minutes         = "bigint: minutes for which an account is locked"
*/
with

records as (
    select
        source, payload ->> '$.setting' as setting,
        json_transform(payload, '{
            "enabled": "VARCHAR", "type": "VARCHAR", "userCreationDisabled": "VARCHAR", "lowSecurityJwtSso": "VARCHAR",
            "syncGroupsFromSamlToken": "VARCHAR", "maxFailedAttempts": "VARCHAR", "failedAttemptsPeriod": "VARCHAR",
            "lockoutPeriod": "VARCHAR"
        }') as record
    from raw.posture
    where snapshot_id = $snapshot_id and is_accepted and payload ->> '$.setting' in ('sso', 'lockout')
),

settings as (
    select
        source, setting, trimmed(record.type) as type,
        case lower(record.enabled) when 'true' then true when 'false' then false end as is_enabled,
        case lower(record.userCreationDisabled) when 'true' then false when 'false' then true end as creates_accounts,
        case lower(record.lowSecurityJwtSso) when 'true' then true when 'false' then false end as is_legacy_jwt,
        case lower(record.syncGroupsFromSamlToken) when 'true' then true when 'false' then false end as syncs_groups,
        case when regexp_full_match(record.maxFailedAttempts, '[0-9]{1,9}') then record.maxFailedAttempts::bigint end
            as max_failed_attempts,
        case when regexp_full_match(record.failedAttemptsPeriod, '[0-9]{1,9}')
            then record.failedAttemptsPeriod::bigint end as failed_attempts_minutes,
        case when regexp_full_match(record.lockoutPeriod, '[0-9]{1,9}') then record.lockoutPeriod::bigint end
            as lockout_minutes
    from records
)

select
    source,
    bool_or(is_enabled) filter (where setting = 'sso') as is_sso_enabled,
    min(type) filter (where setting = 'sso') as sso_type,
    bool_or(creates_accounts) filter (where setting = 'sso') as creates_accounts,
    bool_or(is_legacy_jwt) filter (where setting = 'sso') as is_legacy_jwt,
    bool_or(syncs_groups) filter (where setting = 'sso') as syncs_groups,
    bool_or(is_enabled) filter (where setting = 'lockout') as is_lockout_enabled,
    max(max_failed_attempts) filter (where setting = 'lockout') as max_failed_attempts,
    max(failed_attempts_minutes) filter (where setting = 'lockout') as failed_attempts_minutes,
    max(lockout_minutes) filter (where setting = 'lockout') as lockout_minutes
from settings
group by source

/* example
name = "both settings make one row; a setting that was not read and a value that cannot be read are not known"
given."raw.posture" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"setting":"sso","enabled":true,"type":"saml","userCreationDisabled":false,"lowSecurityJwtSso":"perhaps"}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"setting":"lockout","enabled":false,"maxFailedAttempts":5,"failedAttemptsPeriod":"15","lockoutPeriod":null}' },
  { snapshot_id = "example", source = "t", page = 1, ordinal = 1, is_accepted = true, payload = '{"setting":"lockout","enabled":true}' },
  { snapshot_id = "example", source = "u", page = 1, ordinal = 1, is_accepted = true, payload = '{"setting":"seats"}' },
]
expect = [
  { source = "s", is_sso_enabled = true, sso_type = "saml", creates_accounts = true, is_legacy_jwt = "<null>", syncs_groups = "<null>", is_lockout_enabled = false, max_failed_attempts = 5, failed_attempts_minutes = 15, lockout_minutes = "<null>" },
  { source = "t", is_sso_enabled = "<null>", creates_accounts = "<null>", is_lockout_enabled = true },
]
*/
