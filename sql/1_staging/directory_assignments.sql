/*
summary = "One assignment of a user or a group of a directory to the application under review."
reads   = ["raw.directory_assignments"]
grain   = ["source", "assignment_id"]

[columns]
source         = "varchar: the source's name in the configuration"
assignment_id  = "varchar: the id of the assignment, in Okta that of the user"
principal_type = "varchar: user or group"
principal_id   = "varchar: id of the user or group"
app_user_name  = "varchar: the user name in the application, normalised for comparison; null if the directory does not say"
assigned_at    = "timestamp: when it was assigned, UTC; null if it cannot be read"
*/
select
    source,
    payload ->> '$.id' as assignment_id,
    case when payload ->> '$.principalType' = 'Group' then 'group' else 'user' end as principal_type,
    coalesce(payload ->> '$.principalId', payload ->> '$.id') as principal_id,
    match_key(payload ->> '$.credentials.userName') as app_user_name,
    try_cast(coalesce(payload ->> '$.created', payload ->> '$.createdDateTime') as timestamptz) at time zone 'UTC'
        as assigned_at
from raw.directory_assignments
where
    snapshot_id = $snapshot_id and is_accepted and coalesce(payload ->> '$.id', '') <> ''
    and coalesce(payload ->> '$.principalType', 'User') in ('User', 'Group')
    -- In Okta, a user who lost the assignment may stay in the list with one of these statuses.
    and coalesce(payload ->> '$.status', '') not in ('DEPROVISIONED', 'REVOKED', 'UNASSIGNED')
qualify row_number() over (partition by source, payload ->> '$.id' order by page, ordinal) = 1

/* example
name = "in Okta the assignment has the user's id, in Entra ID one of its own; applications may be assigned too, and are left out"
given."raw.directory_assignments" = [
  { snapshot_id = "example", source = "okta", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"u","scope":"GROUP","status":"ACTIVE","created":"2026-01-01T00:00:00.000Z","credentials":{"userName":"Ann"}}' },
  { snapshot_id = "example", source = "okta", page = 1, ordinal = 2, is_accepted = true, payload = '{"id":"gone","status":"DEPROVISIONED"}' },
  { snapshot_id = "example", source = "entra", page = 1, ordinal = 1, is_accepted = true, payload = '{"id":"1","principalType":"Group","principalId":"g"}' },
  { snapshot_id = "example", source = "entra", page = 1, ordinal = 2, is_accepted = true, payload = '{"id":"2","principalType":"User","principalId":"v","createdDateTime":"2026-01-02T00:00:00Z"}' },
  { snapshot_id = "example", source = "entra", page = 1, ordinal = 3, is_accepted = true, payload = '{"id":"3","principalType":"ServicePrincipal","principalId":"p"}' },
]
expect = [
  { source = "okta", principal_type = "user", principal_id = "u", app_user_name = "ann", assigned_at = 2026-01-01T00:00:00Z },
  { source = "entra", principal_type = "group", principal_id = "g", assigned_at = "<null>" },
  { source = "entra", principal_type = "user", principal_id = "v", assigned_at = 2026-01-02T00:00:00Z },
]
*/
