/*
summary = "One account in one group, listed in the user's record, the group's record or both; or with one entitlement of an application's file. Either may not exist."
reads   = ["staging.user_groups", "staging.group_users", "staging.file_grants"]
grain   = ["source", "account_id", "group_id"]

[columns]
source     = "varchar: the source's name in the configuration"
account_id = "varchar: the account"
group_id   = "varchar: the group, or the entitlement of a file"
seen_in    = "varchar: the record that lists the membership: user, group or both; file for an application that is read from files"
*/
select
    coalesce(u.source, g.source) as source,
    coalesce(u.account_id, g.account_id) as account_id,
    coalesce(u.group_id, g.group_id) as group_id,
    case when g.account_id is null then 'user' when u.account_id is null then 'group' else 'both' end as seen_in
from staging.user_groups as u
full outer join staging.group_users as g
    on g.source = u.source and g.account_id = u.account_id and g.group_id = u.group_id
union all
select source, account_id, entitlement_id, 'file' from staging.file_grants

/* example
name = "both sides are combined, and each row says which side lists it"
given."staging.user_groups" = [
  { source = "s", account_id = "a", group_id = "g" }, { source = "s", account_id = "b", group_id = "g" },
]
given."staging.group_users" = [
  { source = "s", account_id = "b", group_id = "g" }, { source = "s", account_id = "c", group_id = "g" },
]
given."staging.file_grants" = [ { source = "f", account_id = "a", entitlement_id = "r" } ]
expect = [
  { account_id = "a", group_id = "g", seen_in = "user" },
  { account_id = "b", group_id = "g", seen_in = "both" },
  { account_id = "c", group_id = "g", seen_in = "group" },
  { account_id = "a", group_id = "r", seen_in = "file" },
]
*/
