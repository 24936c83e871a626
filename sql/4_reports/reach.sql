/*
summary = "One grant: a dashboard, data model or folder, and the account, group, role or link that reaches it. Groups are not multiplied out."
reads   = ["graph.objects", "graph.object_grants", "findings.register"]
grain   = ["source", "object_type", "object_id", "granted_to_type", "granted_to_id"]

[columns]
snapshot_id        = "varchar: the snapshot"
source             = "varchar: the source's name in the configuration"
object_type        = "varchar: dashboard, model or folder"
object_id          = "varchar: the object's id; empty for every object of the type, which a role reaches"
object_name        = "varchar: its title, or 'every dashboard' and 'every data model' where a role reaches all"
owner_email        = "varchar: e-mail address of its owner in the source"
sensitivity        = "varchar: its label in objects.csv"
is_public          = "boolean: anyone with the link opens the dashboard, without an account; null if not known"
level              = "varchar: owner, edit, view, read or use"
granted_to_type    = "varchar: account, group, role, everyone, public or invitation"
granted_to_id      = "varchar: id of the account, group or role; empty for a public link"
granted_to_name    = "varchar: its name; null if no account or group has the id"
path               = "varchar: how the grant is held, in words"
accounts_reached   = "bigint: active accounts that this grant reaches; null where they cannot be counted"
privileged_reached = "bigint: privileged ones among them"
external_reached   = "bigint: those with an address outside the organization; null if its domains are not known"
rule_ids           = "varchar: rules with an open finding on the object"
*/
with

-- An id is unique for a type only. A finding about an exception does not say which type it is about.
open_rules as (
    select
        objects.source, objects.object_type, objects.object_id,
        array_to_string(list_sort(list(distinct found.rule_id)), '; ') as rule_ids
    from graph.objects as objects
    join findings.register as found on found.source = objects.source and found.subject_id = objects.object_id
        and coalesce(found.object_type, objects.object_type) = objects.object_type
    where found.subject_type = 'object' and found.status = 'open'
    group by objects.source, objects.object_type, objects.object_id
)

select
    $snapshot_id as snapshot_id,
    grants.source,
    grants.object_type,
    grants.object_id,
    case
        when grants.object_id = '' then 'every ' || replace(grants.object_type, 'model', 'data model') else objects.object_name
    end as object_name,
    objects.owner_email,
    objects.sensitivity,
    objects.is_public,
    grants.level,
    grants.granted_to_type,
    grants.granted_to_id,
    grants.granted_to_name,
    grants.path,
    grants.accounts_reached,
    grants.privileged_reached,
    grants.external_reached,
    coalesce(open_rules.rule_ids, '') as rule_ids
from graph.object_grants as grants
left join graph.objects as objects
    on objects.source = grants.source and objects.object_type = grants.object_type
    and objects.object_id = grants.object_id
left join open_rules
    on open_rules.source = grants.source and open_rules.object_type = grants.object_type
    and open_rules.object_id = grants.object_id

/* example
name = "a grant carries its object's facts and open findings; a role reaches every object of a type"
given."graph.objects" = [
  { source = "s", object_type = "dashboard", object_id = "d", object_name = "Sales", owner_email = "ann@example.com", sensitivity = "secret", is_public = false },
]
given."graph.object_grants" = [
  { source = "s", object_type = "dashboard", object_id = "d", level = "view", granted_to_type = "group", granted_to_id = "g", granted_to_name = "Sales Team", accounts_reached = 14, privileged_reached = 1, external_reached = 0 },
  { source = "s", object_type = "dashboard", object_id = "", level = "edit", granted_to_type = "role", granted_to_id = "r", granted_to_name = "Admin", accounts_reached = 2 },
]
given."findings.register" = [
  { source = "s", finding_id = "1", rule_id = "b_rule", subject_type = "object", object_type = "dashboard", subject_id = "d", status = "open" },
  { source = "s", finding_id = "2", rule_id = "a_rule", subject_type = "object", subject_id = "d", status = "open" },
  { source = "s", finding_id = "3", rule_id = "c_rule", subject_type = "object", subject_id = "d", status = "accepted_risk" },
  { source = "t", finding_id = "4", rule_id = "d_rule", subject_type = "object", subject_id = "d", status = "open" },
  { source = "s", finding_id = "6", rule_id = "f_rule", subject_type = "object", object_type = "model", subject_id = "d", status = "open" },
  { source = "s", finding_id = "5", rule_id = "e_rule", subject_type = "group", subject_id = "d", status = "open" },
]
expect = [
  { object_id = "d", object_name = "Sales", owner_email = "ann@example.com", sensitivity = "secret", granted_to_name = "Sales Team", accounts_reached = 14, rule_ids = "a_rule; b_rule" },
  { object_id = "", object_name = "every dashboard", owner_email = "<null>", granted_to_name = "Admin", accounts_reached = 2, rule_ids = "" },
]
*/
