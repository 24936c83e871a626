/*
summary = "One account of one source: who it belongs to, what it is, what it may, and when it was last seen."
reads   = [
    "staging.users", "graph.sources", "graph.roles", "graph.groups", "graph.memberships", "graph.account_links",
    "graph.people", "graph.registrations", "staging.principals", "reference.shared_names",
]
grain   = ["source", "account_id"]

[columns]
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the source's own id, verbatim"
user_name        = "varchar: login name"
user_name_key    = "varchar: the user name as it is compared"
email            = "varchar: e-mail address"
email_key        = "varchar: the e-mail address as it is compared"
email_domain     = "varchar: the domain of the address, in lower case; null unless it is one usable address"
first_name       = "varchar: given name"
last_name        = "varchar: family name"
name_key         = "varchar: both names as they are compared"
display_name     = "varchar: both names, else the user name, else the e-mail address"
account_type     = "varchar: break_glass, service, human, shared or unknown"
is_registered    = "boolean: the policy registers it as a service or an emergency account"
is_own           = "boolean: the program signs in to the source with it"
status           = "varchar: active, inactive, pending (invited, never seen) or unknown (no usable active flag)"
origin           = "varchar: local, directory, sso or unknown"
role_id          = "varchar: the role that holds, which is the user record's own"
role_rank        = "integer: the role's rank; null if the role is missing, dangling or unclassified"
privileged       = "boolean: by the account's own role; an unclassified role counts as privileged"
created_at       = "timestamp: creation; null if it cannot be believed"
last_updated_at  = "timestamp: last change of the record; null if it cannot be believed"
age_days         = "bigint: UTC calendar days from the day of creation to the day of as-of, 0 if that is later"
last_login_at    = "timestamp: last login as the source gives it"
last_activity_at = "timestamp: last activity as the source gives it"
last_seen_at     = "timestamp: the later believable one of login and activity"
last_seen_field  = "varchar: which of the two it is: lastLogin or lastActivity"
days_since_seen  = "bigint: UTC calendar days from the day last seen to the day of as-of, 0 if that is later"
login_state      = "varchar: seen, never, or unknown (unreadable, in the future, or the source gives it for nobody)"
has_unreadable_times = "boolean: its last login or last activity cannot be read or believed; it may have been seen later than it says"
group_count      = "bigint: groups, the built-in ones not counted; null if the record's groups cannot be read"
groups           = "varchar: their names, or ids where there is no name"
tenant_id        = "varchar: tenant, on multi-tenant servers"
person_id        = "varchar: the person of the roster it belongs to"
person_match     = "varchar: how that was found; unmatched, ambiguous, suggested, or no_roster"
unreadable_fields = "varchar[]: the fields of its record that came in a shape that cannot be read: what rests on them is not evaluated"
*/
with

registered as (
    select
        source, account_id,
        bool_or(policy = 'break_glass') as is_break_glass,
        bool_or(policy = 'service_accounts') as is_service
    from graph.registrations
    group by source, account_id
),

roster as (
    select count(*) > 0 as is_loaded from graph.people
),

memberships as (
    select m.source, m.account_id, count(*) as group_count,
        array_to_string(list_sort(list(coalesce(g.group_name, m.group_id))), '; ') as groups
    from graph.memberships as m
    left join graph.groups as g on g.source = m.source and g.group_id = m.group_id
    where g.is_builtin is distinct from true
    group by m.source, m.account_id
),

-- A value too far in the future says nothing about when somebody was there.
seen as (
    select
        u.*, s.gives_last_seen, s.gives_origin,
        case when u.created_at <= s.latest_believable_at then u.created_at end as believable_created_at,
        case when u.last_updated_at <= s.latest_believable_at then u.last_updated_at end as believable_updated_at,
        case when u.last_login_at <= s.latest_believable_at then u.last_login_at end as believable_login_at,
        case when u.last_activity_at <= s.latest_believable_at then u.last_activity_at end as believable_activity_at
    from staging.users as u
    join graph.sources as s on s.source = u.source
),

dated as (
    select
        *,
        case
            when believable_login_at is null then believable_activity_at
            when believable_activity_at is null then believable_login_at
            else greatest(believable_login_at, believable_activity_at)
        end as last_seen_at,
        last_login_text is null and last_activity_text is null as has_no_login,
        (last_login_text is not null and believable_login_at is null)
            or (last_activity_text is not null and believable_activity_at is null) as has_unreadable_times
    from seen
),

linked as (
    select
        dated.*,
        case when link.is_match then link.person_id end as person_id,
        case
            when not roster.is_loaded then 'no_roster'
            when link.is_match then link.match_method
            when link.candidate_count > 1 then 'ambiguous'
            when link.candidate_count = 1 then 'suggested'
            else 'unmatched'
        end as person_match
    from dated
    cross join roster
    left join graph.account_links as link
        on link.source = dated.source and link.account_id = dated.account_id
),

typed as (
    select
        linked.*,
        case
            when registered.is_break_glass then 'break_glass'
            when registered.is_service or person.person_type = 'service' then 'service'
            when linked.person_id is not null then 'human'
            when split_part(linked.email_key, '@', 1) in (select local_part from reference.shared_names)
                or split_part(linked.user_name_key, '@', 1) in (select local_part from reference.shared_names)
                then 'shared'
            when linked.first_name is not null and linked.last_name is not null then 'human'
            else 'unknown'
        end as account_type,
        registered.account_id is not null as is_registered
    from linked
    left join registered on registered.source = linked.source and registered.account_id = linked.account_id
    left join graph.people as person on person.person_id = linked.person_id
)

select
    typed.source,
    typed.account_id,
    typed.user_name,
    typed.user_name_key,
    typed.email,
    typed.email_key,
    -- an address that is not one, or more than one, has no domain to be judged by
    nullif(regexp_extract(typed.email_key, '^[^@\s,;<>"]+@([^@\s,;<>"]+)$', 1), '') as email_domain,
    typed.first_name,
    typed.last_name,
    typed.name_key,
    coalesce(
        nullif(concat_ws(' ', typed.first_name, typed.last_name), ''), typed.user_name, typed.email, typed.account_id
    ) as display_name,
    typed.account_type,
    typed.is_registered,
    coalesce(typed.account_id = principal.account_id or typed.user_name_key = principal.user_name_key, false) as is_own,
    case
        when typed.is_active then 'active'
        when typed.is_active is null then 'unknown'
        when typed.has_pending_expiration and typed.has_no_login then 'pending'
        else 'inactive'
    end as status,
    case
        when typed.is_sso then 'sso'
        when typed.is_directory or typed.directory_id is not null then 'directory'
        when typed.is_directory is null and typed.principal_name is not null then 'directory'
        when list_contains(typed.unreadable_fields, 'activeDirectory') or list_contains(typed.unreadable_fields, 'createdSso')
            then 'unknown'
        when typed.gives_origin then 'local'
        else 'unknown'
    end as origin,
    typed.role_id,
    role.role_rank,
    coalesce(role.privileged, true) as privileged,
    typed.believable_created_at as created_at,
    typed.believable_updated_at as last_updated_at,
    case
        when typed.believable_created_at > $as_of then 0
        else date_diff('day', cast(typed.believable_created_at as date), cast($as_of as date))
    end as age_days,
    typed.last_login_at,
    typed.last_activity_at,
    typed.last_seen_at,
    case
        when typed.last_seen_at is null then null
        when typed.last_seen_at = typed.believable_login_at then 'lastLogin'
        else 'lastActivity'
    end as last_seen_field,
    -- greatest() passes over nulls, so the case keeps "not seen" from becoming "seen today"
    case
        when typed.last_seen_at > $as_of then 0
        else date_diff('day', cast(typed.last_seen_at as date), cast($as_of as date))
    end as days_since_seen,
    case
        when typed.last_seen_at is not null then 'seen'
        when typed.has_no_login and typed.gives_last_seen then 'never'
        else 'unknown'
    end as login_state,
    typed.has_unreadable_times,
    case when not coalesce(list_contains(typed.unreadable_fields, 'groups'), false)
        then coalesce(memberships.group_count, 0) end as group_count,
    coalesce(
        memberships.groups, case when not coalesce(list_contains(typed.unreadable_fields, 'groups'), false) then '' end
    ) as groups,
    typed.tenant_id,
    typed.person_id,
    typed.person_match,
    coalesce(typed.unreadable_fields, []) as unreadable_fields
from typed
left join graph.roles as role on role.source = typed.source and role.role_id = typed.role_id
left join staging.principals as principal on principal.source = typed.source
left join memberships on memberships.source = typed.source and memberships.account_id = typed.account_id

/* example
name = "status and login state, each with its unknown"
as_of = 2026-01-10T00:00:00Z
given."graph.sources" = [
  { source = "s", gives_last_seen = true, gives_origin = true, latest_believable_at = 2026-01-11T00:00:00Z },
  { source = "silent", gives_last_seen = false, gives_origin = false, latest_believable_at = 2026-01-11T00:00:00Z },
]
given."staging.users" = [
  { source = "s", account_id = "1", is_active = true, last_login_text = "t", last_login_at = 2026-01-08T23:59:59.999Z, has_pending_expiration = false },
  { source = "s", account_id = "2", is_active = false, has_pending_expiration = true },
  { source = "s", account_id = "3", is_active = false, has_pending_expiration = false },
  { source = "s", account_id = "4", has_pending_expiration = false, last_login_text = "junk" },
  { source = "s", account_id = "5", is_active = true, last_login_text = "t", last_login_at = 2026-01-10T20:00:00Z, has_pending_expiration = false },
  { source = "s", account_id = "6", is_active = true, last_login_text = "t", last_login_at = 2026-01-11T00:00:01Z, has_pending_expiration = false },
  { source = "s", account_id = "7", is_active = true, last_login_text = "junk", last_activity_text = "t", last_activity_at = 2026-01-09T00:00:00Z, has_pending_expiration = false },
  { source = "silent", account_id = "8", is_active = true, has_pending_expiration = false },
]
expect = [
  { account_id = "1", status = "active", login_state = "seen", has_unreadable_times = false, days_since_seen = 2, last_seen_field = "lastLogin", origin = "local" },
  { account_id = "2", status = "pending", login_state = "never", days_since_seen = "<null>" },
  { account_id = "3", status = "inactive", login_state = "never" },
  { account_id = "4", status = "unknown", login_state = "unknown" },
  { account_id = "5", status = "active", login_state = "seen", days_since_seen = 0 },
  { account_id = "6", status = "active", login_state = "unknown", last_seen_at = "<null>" },
  { account_id = "7", status = "active", login_state = "seen", has_unreadable_times = true, last_seen_field = "lastActivity", days_since_seen = 1 },
  { account_id = "8", status = "active", login_state = "unknown", origin = "unknown" },
]
*/
/* example
name = "the first type that fits; a missing role counts as privileged"
given."graph.sources" = [ { source = "s", gives_last_seen = true, gives_origin = true, latest_believable_at = 2026-01-11T00:00:00Z } ]
given."graph.people" = [ { person_id = "p", person_type = "employee" }, { person_id = "bot", person_type = "service" } ]
given."graph.account_links" = [
  { source = "s", account_id = "matched", person_id = "p", match_method = "email", candidate_count = 1, is_match = true },
  { source = "s", account_id = "robot", person_id = "bot", match_method = "email", candidate_count = 1, is_match = true },
  { source = "s", account_id = "alike", person_id = "p", match_method = "display_name", candidate_count = 1, is_match = false },
]
given."graph.roles" = [ { source = "s", role_id = "r", role_rank = 10, privileged = false } ]
given."graph.registrations" = [
  { source = "s", account_id = "registered", policy = "service_accounts" },
  { source = "s", account_id = "glass", policy = "service_accounts" },
  { source = "s", account_id = "glass", policy = "break_glass" },
]
given."reference.shared_names" = [ { local_part = "info" } ]
given."staging.users" = [
  { source = "s", account_id = "glass", email_key = "fire@example.com", role_id = "r", has_pending_expiration = false },
  { source = "s", account_id = "registered", user_name_key = "svc", role_id = "r", has_pending_expiration = false },
  { source = "s", account_id = "robot", role_id = "r", has_pending_expiration = false },
  { source = "s", account_id = "matched", email_key = "info@example.com", role_id = "r", has_pending_expiration = false },
  { source = "s", account_id = "generic", email_key = "info@other.test", first_name = "In", last_name = "Fo", role_id = "r", has_pending_expiration = false },
  { source = "s", account_id = "named", first_name = "Ann", last_name = "Ek", role_id = "r", has_pending_expiration = false },
  { source = "s", account_id = "alike", first_name = "Ann", role_id = "gone", has_pending_expiration = false },
]
expect = [
  { account_id = "glass", account_type = "break_glass", privileged = false, is_registered = true },
  { account_id = "registered", account_type = "service", person_match = "unmatched", is_registered = true },
  { account_id = "robot", account_type = "service", person_id = "bot", is_registered = false },
  { account_id = "matched", account_type = "human", person_id = "p", person_match = "email" },
  { account_id = "generic", account_type = "shared" },
  { account_id = "named", account_type = "human" },
  { account_id = "alike", account_type = "unknown", privileged = true, person_id = "<null>", person_match = "suggested" },
]
*/
