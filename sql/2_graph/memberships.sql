/*
summary = "One account in one group, listed in the user's record, the group's record or both; or with one entitlement of an application's file. Either may not exist."
reads   = ["staging.memberships", "staging.file_grants"]
grain   = ["source", "account_id", "group_id"]

[columns]
source     = "varchar: the source's name in the configuration"
account_id = "varchar: the account"
group_id   = "varchar: the group, or the entitlement of a file"
seen_in    = "varchar: the record that lists the membership: user, group or both; file for an application that is read from files"
*/
select source, account_id, group_id, seen_in from staging.memberships
union all
select source, account_id, entitlement_id, 'file' from staging.file_grants

/* example
name = "memberships of records and grants of files stand together, and each row says where it was seen"
given."staging.memberships" = [
  { source = "s", account_id = "a", group_id = "g", seen_in = "user" }, { source = "s", account_id = "b", group_id = "g", seen_in = "both" },
]
given."staging.file_grants" = [ { source = "f", account_id = "a", entitlement_id = "r" } ]
expect = [
  { source = "s", account_id = "a", group_id = "g", seen_in = "user" },
  { source = "s", account_id = "b", group_id = "g", seen_in = "both" },
  { source = "f", account_id = "a", group_id = "r", seen_in = "file" },
]
*/
