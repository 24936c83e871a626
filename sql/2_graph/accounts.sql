/*
summary = "One account: its person, type, status, role, groups, and when it was last seen."
reads   = [
    "staging.users", "graph.sources", "graph.roles", "graph.groups", "graph.memberships", "graph.account_links",
    "graph.people", "graph.registrations", "staging.principals", "reference.shared_names",
]
grain   = ["source", "account_id"]

[columns]
source           = "varchar: the source's name in the configuration"
account_id       = "varchar: the account's id in the source, unchanged"
user_name        = "varchar: login name"
user_name_key    = "varchar: the user name, normalised for comparison"
email            = "varchar: e-mail address"
email_key        = "varchar: the e-mail address, normalised for comparison"
email_domain     = "varchar: the domain of the e-mail address, in lower case; null unless the address is a single valid one"
first_name       = "varchar: given name"
last_name        = "varchar: family name"
name_key         = "varchar: first and last name, normalised for comparison"
display_name     = "varchar: first and last name, else user name, else e-mail address, else id"
account_type     = "varchar: break_glass, service, human, shared or unknown"
is_registered    = "boolean: service_accounts.csv or break_glass.csv lists the account"
is_own           = "boolean: the program signs in to the source with this account"
status           = "varchar: active, inactive, pending (invited, never seen) or unknown (no readable active flag)"
origin           = "varchar: local, directory, sso or unknown"
role_id          = "varchar: id of the role in the user record, which is the role in force"
role_rank        = "integer: rank of the role; null if the role is missing, does not exist or is unclassified; for a file, the highest rank of its entitlements"
privileged       = "boolean: the account's role gives administrative rights; an unclassified role counts as privileged; for a file, an entitlement that is known to give them"
created_at       = "timestamp: creation, UTC; null if it cannot be read or lies too far in the future"
last_updated_at  = "timestamp: last change of the record, UTC; null if it cannot be read or lies too far in the future"
age_days         = "bigint: calendar days in UTC from creation to as-of; 0 if created after as-of"
last_login_at    = "timestamp: last login, UTC, as the source reports it"
last_activity_at = "timestamp: last activity, UTC, as the source reports it"
last_seen_at     = "timestamp: the later of last login and last activity, UTC, ignoring times too far in the future"
last_seen_field  = "varchar: the field that last_seen_at comes from: lastLogin or lastActivity"
days_since_seen  = "bigint: calendar days in UTC from last seen to as-of; 0 if seen after as-of"
login_state      = "varchar: seen, never, or unknown (unreadable, in the future, or not reported by the source for any account)"
has_unreadable_times = "boolean: last login or last activity is unreadable or too far in the future, so last_seen_at may be too early"
group_count      = "bigint: number of groups without built-in ones; null if the groups in the record cannot be read"
groups           = "varchar: names of these groups, or ids of groups without a name"
tenant_id        = "varchar: the tenant, on multi-tenant servers"
person_id        = "varchar: the matching person in the roster"
person_match     = "varchar: how the person was matched (see match_method in graph.account_links), or unmatched, ambiguous, suggested or no_roster"
unreadable_fields = "varchar[]: fields of the record with a value of an unexpected type; checks that need them are not evaluated"
*/
with

registered_accounts as (
    select
        source, account_id,
        bool_or(policy = 'break_glass') as is_break_glass,
        bool_or(policy = 'service_accounts') as is_service
    from graph.registrations
    group by source, account_id
),

roster_status as (
    select count(*) > 0 as is_loaded from graph.people
),

groups_by_account as (
    select m.source, m.account_id, count(*) as group_count,
        max(g.entitlement_rank) as highest_rank,
        coalesce(bool_or(g.is_listed_privileged or g.carries_privileged), false) as holds_privileged,
        array_to_string(list_sort(list(coalesce(g.group_name, m.group_id))), '; ') as groups
    from graph.memberships as m
    left join graph.groups as g on g.source = m.source and g.group_id = m.group_id
    where g.is_builtin is distinct from true
    group by m.source, m.account_id
),

-- A time too far in the future is an error of the source, so it is not used.
checked_times as (
    select
        u.*, s.gives_last_seen, s.gives_origin, s.is_from_files,
        case when u.created_at <= s.latest_believable_at then u.created_at end as believable_created_at,
        case when u.last_updated_at <= s.latest_believable_at then u.last_updated_at end as believable_updated_at,
        case when u.last_login_at <= s.latest_believable_at then u.last_login_at end as believable_login_at,
        case when u.last_activity_at <= s.latest_believable_at then u.last_activity_at end as believable_activity_at
    from staging.users as u
    join graph.sources as s on s.source = u.source
),

accounts_with_last_seen as (
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
    from checked_times
),

accounts_with_person as (
    select
        accounts.*,
        case when link.is_match then link.person_id end as person_id,
        case
            when not roster.is_loaded then 'no_roster'
            when link.is_match then link.match_method
            when link.candidate_count > 1 then 'ambiguous'
            when link.candidate_count = 1 then 'suggested'
            else 'unmatched'
        end as person_match
    from accounts_with_last_seen as accounts
    cross join roster_status as roster
    left join graph.account_links as link
        on link.source = accounts.source and link.account_id = accounts.account_id
),

shared_names as (
    select distinct local_part from reference.shared_names
),

typed_accounts as (
    select
        accounts.*,
        case
            when registered.is_break_glass then 'break_glass'
            when registered.is_service or person.person_type = 'service' then 'service'
            when accounts.declared_type is not null then accounts.declared_type
            when accounts.person_id is not null then 'human'
            when shared_address.local_part is not null or shared_name.local_part is not null then 'shared'
            when accounts.first_name is not null and accounts.last_name is not null then 'human'
            else 'unknown'
        end as account_type,
        registered.account_id is not null as is_registered
    from accounts_with_person as accounts
    left join registered_accounts as registered on registered.source = accounts.source and registered.account_id = accounts.account_id
    left join graph.people as person on person.person_id = accounts.person_id
    left join shared_names as shared_address
        on shared_address.local_part = split_part(accounts.email_key, '@', 1)
    left join shared_names as shared_name
        on shared_name.local_part = split_part(accounts.user_name_key, '@', 1)
)

select
    accounts.source,
    accounts.account_id,
    accounts.user_name,
    accounts.user_name_key,
    accounts.email,
    accounts.email_key,
    -- null for an invalid address or several addresses, so that rules about domains skip them
    nullif(regexp_extract(accounts.email_key, '^[^@\s,;<>"]+@([^@\s,;<>"]+)$', 1), '') as email_domain,
    accounts.first_name,
    accounts.last_name,
    accounts.name_key,
    coalesce(
        nullif(concat_ws(' ', accounts.first_name, accounts.last_name), ''), accounts.user_name, accounts.email, accounts.account_id
    ) as display_name,
    accounts.account_type,
    accounts.is_registered,
    coalesce(accounts.account_id = principal.account_id or accounts.user_name_key = principal.user_name_key, false) as is_own,
    case
        when accounts.is_active then 'active'
        when accounts.is_active is null then 'unknown'
        when accounts.has_pending_expiration and accounts.has_no_login then 'pending'
        else 'inactive'
    end as status,
    case
        when accounts.is_sso then 'sso'
        when accounts.is_directory or accounts.directory_id is not null then 'directory'
        when accounts.is_directory is null and accounts.principal_name is not null then 'directory'
        when list_contains(accounts.unreadable_fields, 'activeDirectory') or list_contains(accounts.unreadable_fields, 'createdSso')
            then 'unknown'
        when accounts.gives_origin then 'local'
        else 'unknown'
    end as origin,
    accounts.role_id,
    case when accounts.is_from_files then memberships.highest_rank else role.role_rank end as role_rank,
    -- What the policy does not rank, in a file, is not evaluated: it is neither privileged nor known not to be.
    case when accounts.is_from_files then coalesce(memberships.holds_privileged, false)
        else coalesce(role.privileged, true) end as privileged,
    accounts.believable_created_at as created_at,
    accounts.believable_updated_at as last_updated_at,
    case
        when accounts.believable_created_at > $as_of then 0
        else date_diff('day', cast(accounts.believable_created_at as date), cast($as_of as date))
    end as age_days,
    accounts.last_login_at,
    accounts.last_activity_at,
    accounts.last_seen_at,
    case
        when accounts.last_seen_at is null then null
        when accounts.last_seen_at = accounts.believable_login_at then 'lastLogin'
        else 'lastActivity'
    end as last_seen_field,
    -- The case keeps null as null: greatest() would ignore it and turn "never seen" into "seen today".
    case
        when accounts.last_seen_at > $as_of then 0
        else date_diff('day', cast(accounts.last_seen_at as date), cast($as_of as date))
    end as days_since_seen,
    case
        when accounts.last_seen_at is not null then 'seen'
        when accounts.has_no_login and accounts.gives_last_seen then 'never'
        else 'unknown'
    end as login_state,
    accounts.has_unreadable_times,
    case when not coalesce(list_contains(accounts.unreadable_fields, 'groups'), false)
        then coalesce(memberships.group_count, 0) end as group_count,
    coalesce(
        memberships.groups, case when not coalesce(list_contains(accounts.unreadable_fields, 'groups'), false) then '' end
    ) as groups,
    accounts.tenant_id,
    accounts.person_id,
    accounts.person_match,
    coalesce(accounts.unreadable_fields, []) as unreadable_fields
from typed_accounts as accounts
left join graph.roles as role on role.source = accounts.source and role.role_id = accounts.role_id
left join staging.principals as principal on principal.source = accounts.source
left join groups_by_account as memberships
    on memberships.source = accounts.source and memberships.account_id = accounts.account_id

/* example
name = "every status and login state, including unknown"
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
name = "the first matching type wins; a missing role counts as privileged"
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
/* example
name = "an account of a file is privileged if one of its entitlements is known to be; its declared type counts"
given."graph.sources" = [ { source = "f", gives_last_seen = true, is_from_files = true, latest_believable_at = 2026-01-11T00:00:00Z } ]
given."graph.groups" = [
  { source = "f", group_id = "a", group_name = "Admin", is_builtin = false, entitlement_rank = 90, is_listed_privileged = false, carries_privileged = true },
  { source = "f", group_id = "c", group_name = "Clerk", is_builtin = false, entitlement_rank = 20, is_listed_privileged = false, carries_privileged = false },
  { source = "f", group_id = "u", is_builtin = false, is_listed_privileged = false },
]
given."graph.memberships" = [
  { source = "f", account_id = "1", group_id = "a" }, { source = "f", account_id = "1", group_id = "c" },
  { source = "f", account_id = "2", group_id = "c" }, { source = "f", account_id = "2", group_id = "u" },
]
given."staging.users" = [
  { source = "f", account_id = "1", is_active = true, has_pending_expiration = false, is_from_file = true },
  { source = "f", account_id = "2", is_active = true, has_pending_expiration = false, is_from_file = true, declared_type = "service", first_name = "Ann", last_name = "Ek" },
  { source = "f", account_id = "3", is_active = true, has_pending_expiration = false, is_from_file = true },
]
expect = [
  { account_id = "1", privileged = true, role_rank = 90, group_count = 2, groups = "Admin; Clerk", account_type = "unknown", origin = "unknown" },
  { account_id = "2", privileged = false, role_rank = 20, group_count = 2, groups = "Clerk; u", account_type = "service", origin = "unknown" },
  { account_id = "3", privileged = false, role_rank = "<null>", group_count = 0, groups = "", account_type = "unknown", origin = "unknown" },
]
*/
