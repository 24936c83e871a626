/*
summary = "One account, group, person, role or object that matches a line of exceptions.csv or out_of_scope.csv."
reads   = [
    "graph.accounts", "graph.groups", "graph.people", "graph.roles", "graph.role_names", "graph.objects", "staging.policy_lines", "reference.rules",
]
grain   = ["policy", "line", "source", "subject_type", "subject_id"]

[columns]
policy       = "varchar: exceptions or out_of_scope"
line         = "integer: line of the policy file"
rule_id      = "varchar: the rule that an exception applies to; null for out_of_scope"
subject      = "varchar: the subject, as the line gives it"
source       = "varchar: the subject's source; empty for a person"
subject_type = "varchar: account, group, person, role or object (a dashboard or data model)"
subject_id   = "varchar: id of the account, group, person, role or object"
reason       = "varchar: the reason given"
approved_by  = "varchar: the person who approved the line"
expires_on   = "date: last day of an exception; null for out_of_scope"
is_in_force  = "boolean: the line has not expired on the day of as-of"

[checks.names_more_than_one]
level = "input"
sql = """
select policy || '.csv, line ' || line || ': ''' || subject || ''' names ' || count(*) || ' ' || array_to_string(list_sort(list(distinct subject_type || 's')), ' and ') || ' in source ''' || source || '''' as problem
from graph.policy_subjects
where subject_type <> 'person'  -- a person and their account may share an e-mail address
group by policy, line, subject, source having count(*) > 1
order by policy, line, source
"""

[checks.names_no_source]
level = "warn"
sql = """
select lines.policy || '.csv, line ' || lines.line || ': there is no source ''' || lines.source || '''' as problem
from staging.policy_lines as lines
where lines.source is not null and lines.source not in (select source from graph.sources)
order by lines.policy, lines.line
"""

[checks.names_nothing]
level = "warn"
sql = """
select lines.policy || '.csv, line ' || lines.line || ': there is no account, group, person'
    || case when lines.policy = 'exceptions' then ', role, dashboard or data model ''' else ' or role ''' end || lines.subject || '''' as problem
from staging.policy_lines as lines
anti join graph.policy_subjects as found on found.policy = lines.policy and found.line = lines.line
where lines.source is null or lines.source in (select source from graph.sources)
order by lines.policy, lines.line
"""
*/
with

-- Ids and group names are matched as written, e-mail addresses and user names by their normalised key.
line_names as (
    select *, lower(subject) as name from staging.policy_lines
    union
    select *, subject_key from staging.policy_lines where subject_key is not null
),

-- Not made distinct: of the few that a line names, the last step does that.
subject_names as (
    select source, 'account' as subject_type, account_id as subject_id, lower(account_id) as name from graph.accounts
    union all
    select source, 'account', account_id, user_name_key from graph.accounts
    union all
    select source, 'account', account_id, email_key from graph.accounts
    union all
    select source, 'group', group_id, lower(group_id) from graph.groups
    union all
    select source, 'group', group_id, lower(group_name) from graph.groups
    union all
    select '', 'person', person_id, lower(person_id) from graph.people
),

-- Findings about a person show the e-mail address, so exceptions may use it. In out_of_scope.csv it means the account.
exception_names as (
    select '' as source, 'person' as subject_type, person_id as subject_id, email_key as name
    from graph.people
    where email_key is not null and email_key <> lower(person_id)
    union all
    select source, 'role', role_id, lower(role_id) from graph.roles
    union all
    select source, 'role', role_id, name from graph.role_names
    union all
    select source, 'object', object_id, lower(object_id) from graph.objects where object_type in ('dashboard', 'model')
    union all
    select source, 'object', object_id, lower(object_name) from graph.objects where object_type in ('dashboard', 'model')
),

all_names as (
    select *, false as is_for_exceptions from subject_names
    union all
    select *, true from exception_names
)

select distinct
    lines.policy,
    lines.line,
    lines.rule_id,
    lines.subject,
    names.source,
    names.subject_type,
    names.subject_id,
    lines.reason,
    lines.approved_by,
    lines.expires_on,
    lines.expires_on is null or lines.expires_on >= cast($as_of as date) as is_in_force
from line_names as lines
left join reference.rules as rule on rule.rule_id = lines.rule_id
join all_names as names
    on names.name = lines.name and (lines.policy = 'exceptions' or not names.is_for_exceptions)
    and (lines.source is null or names.source = '' or names.source = lines.source)
-- An exception matches only subjects of its rule's kind, because a person, a role and an account may share a name.
where lines.policy = 'out_of_scope'
    or (
        (names.subject_type = 'person') = coalesce(rule.is_per_person, false)
        and (names.subject_type = 'role') = coalesce(rule.is_per_role, false)
        and (names.subject_type = 'object') = coalesce(rule.is_per_object, false)
    )

/* example
name = "an exception from a rule about roles matches roles by id or either name; other lines never match a role"
as_of = 2026-01-01T00:00:00Z
given."reference.rules" = [ { rule_id = "of roles", severity = "high", is_per_role = true }, { rule_id = "of accounts", severity = "high", is_per_role = false } ]
given."graph.accounts" = [ { source = "s", account_id = "a", user_name_key = "viewer" } ]
given."graph.roles" = [ { source = "s", role_id = "R1" } ]
given."graph.role_names" = [ { source = "s", role_id = "R1", name = "consumer" }, { source = "s", role_id = "R1", name = "viewer" } ]
given."staging.policy_lines" = [
  { policy = "exceptions", line = 2, is_default = false, rule_id = "of roles", subject = "Viewer", subject_key = "viewer", expires_on = 2026-01-01 },
  { policy = "exceptions", line = 3, is_default = false, rule_id = "of roles", subject = "r1", subject_key = "r1", expires_on = 2025-12-31 },
  { policy = "exceptions", line = 4, is_default = false, rule_id = "of accounts", subject = "viewer", subject_key = "viewer", expires_on = 2026-01-01 },
  { policy = "out_of_scope", line = 2, is_default = false, subject = "Viewer", subject_key = "viewer" },
]
expect = [
  { policy = "exceptions", line = 2, subject_type = "role", subject_id = "R1", is_in_force = true },
  { policy = "exceptions", line = 3, subject_type = "role", subject_id = "R1", is_in_force = false },
  { policy = "exceptions", line = 4, subject_type = "account", subject_id = "a" },
  { policy = "out_of_scope", line = 2, subject_type = "account", subject_id = "a" },
]
*/
/* example
name = "an exception from a rule about objects matches dashboards and models by id or title, never a group of that name"
given."reference.rules" = [ { rule_id = "of objects", severity = "high", is_per_object = true }, { rule_id = "of groups", severity = "high", is_per_object = false } ]
given."graph.groups" = [ { source = "s", group_id = "g", group_name = "Sales" } ]
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales" },
  { source = "s", object_type = "folder", object_id = "f", object_name = "Sales" },
]
given."staging.policy_lines" = [
  { policy = "exceptions", line = 2, is_default = false, rule_id = "of objects", subject = "Sales", subject_key = "sales" },
  { policy = "exceptions", line = 3, is_default = false, rule_id = "of groups", subject = "Sales", subject_key = "sales" },
  { policy = "exceptions", line = 4, is_default = false, rule_id = "of objects", subject = "d", subject_key = "d" },
]
expect = [
  { line = 2, subject_type = "object", subject_id = "d" },
  { line = 3, subject_type = "group", subject_id = "g" },
  { line = 4, subject_type = "object", subject_id = "d" },
]
*/
/* example
name = "a subject with one name as its id, user name and e-mail address is found once"
given."staging.policy_lines" = [ { policy = "out_of_scope", line = 2, is_default = false, subject = "Ops@x", subject_key = "ops@x" } ]
given."graph.accounts" = [ { source = "s", account_id = "ops@x", user_name_key = "ops@x", email_key = "ops@x" } ]
expect = [ { policy = "out_of_scope", line = 2, source = "s", subject_type = "account", subject_id = "ops@x" } ]
*/
