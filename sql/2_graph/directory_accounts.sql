/*
summary = "One user of a directory (Okta or Entra ID) with its person in the roster and its groups in the directory."
reads   = ["staging.directory_users", "staging.directory_groups", "staging.directory_members", "graph.people"]
grain   = ["source", "user_id"]

[columns]
source          = "varchar: the directory's name in the configuration"
user_id         = "varchar: the user's id in the directory, unchanged"
user_name       = "varchar: login or principal name; null if empty"
email           = "varchar: e-mail address; without one, the login or principal name"
status          = "varchar: active, inactive or unknown"
last_sign_in_at = "timestamp: last sign-in to the directory, UTC; null if there was none or it cannot be read"
group_names     = "varchar: names of its groups in the directory, joined by '; '; null without any, or if members cannot be read"
person_id       = "varchar: the person; null if there is none, or several"
person_match    = "varchar: directory if the person comes from this record; else email, alias or user_name; null without a person"
*/
with

-- A person that the roster took from this directory has the user's id and address.
user_keys as (
    select source, user_id, 1 as step, 'directory' as match_method, user_id || chr(31) || email_key as match_key
    from staging.directory_users
    union all
    select source, user_id, 2, 'email', email_key from staging.directory_users
    union all
    select source, user_id, 3, 'alias', email_key from staging.directory_users
    union all
    select source, user_id, 4, 'user_name', user_name_key from staging.directory_users
),

person_aliases as (
    select person_id, unnest(alias_keys) as alias_key from graph.people
),

person_keys as (
    select person_id, 1 as step, person_id || chr(31) || email_key as match_key from graph.people
    union all
    select person_id, 2, email_key from graph.people
    union all
    select person_id, 3, alias_key from person_aliases
    union all
    select person_id, 4, email_key from graph.people
    union all
    select person_id, 4, alias_key from person_aliases
),

candidates as (
    select distinct users.source, users.user_id, users.step, users.match_method, people.person_id
    from user_keys as users
    join person_keys as people on people.step = users.step and people.match_key = users.match_key
),

-- The first step with a candidate decides; several candidates are ambiguous.
first_candidates as (
    select * from candidates qualify step = min(step) over (partition by source, user_id)
),

links as (
    select source, user_id, min(person_id) as person_id, min(match_method) as match_method
    from first_candidates
    group by source, user_id
    having count(*) = 1
),

group_names as (
    select
        member.source, member.user_id,
        array_to_string(list_sort(list(distinct coalesce(groups.group_name, member.group_id))), '; ') as group_names
    from staging.directory_members as member
    left join staging.directory_groups as groups
        on groups.source = member.source and groups.group_id = member.group_id
    group by member.source, member.user_id
)

select
    users.source,
    users.user_id,
    users.user_name,
    users.email,
    case when users.is_active then 'active' when not users.is_active then 'inactive' else 'unknown' end as status,
    users.last_sign_in_at,
    groups.group_names,
    links.person_id,
    links.match_method as person_match
from staging.directory_users as users
left join links on links.source = users.source and links.user_id = users.user_id
left join group_names as groups on groups.source = users.source and groups.user_id = users.user_id

/* example
name = "a user is the person that the roster took from it; of another roster, the one person with its address, alias or login"
given."graph.people" = [
  { person_id = "1", email_key = "ann@x", alias_keys = [] },
  { person_id = "hr2", email_key = "bo@x", alias_keys = ["bb@x"] },
  { person_id = "hr3", email_key = "cy@x", alias_keys = [] }, { person_id = "hr4", email_key = "cy@x", alias_keys = [] },
]
given."staging.directory_users" = [
  { source = "d", user_id = "1", email_key = "ann@x", user_name_key = "ann", is_active = true },
  { source = "d", user_id = "2", email_key = "bo@x", user_name_key = "bo", is_active = false },
  { source = "d", user_id = "3", email_key = "bb@x", user_name_key = "bb" },
  { source = "d", user_id = "4", email_key = "b@y", user_name_key = "bo@x" },
  { source = "d", user_id = "5", email_key = "cy@x", user_name_key = "bo@x" },
  { source = "d", user_id = "6" },
]
given."staging.directory_groups" = [ { source = "d", group_id = "g", group_name = "Sales" } ]
given."staging.directory_members" = [
  { source = "d", group_id = "g", user_id = "1" }, { source = "d", group_id = "h", user_id = "1" },
]
expect = [
  { user_id = "1", person_id = "1", person_match = "directory", status = "active", group_names = "Sales; h" },
  { user_id = "2", person_id = "hr2", person_match = "email", status = "inactive", group_names = "<null>" },
  { user_id = "3", person_id = "hr2", person_match = "alias", status = "unknown" },
  { user_id = "4", person_id = "hr2", person_match = "user_name" },
  { user_id = "5", person_id = "<null>", person_match = "<null>" },
  { user_id = "6", person_id = "<null>" },
]
*/
