/*
summary = "One role or group on one side of an open conflict, with one on the other side."
reads   = ["reports.finding_access", "graph.effective_access", "graph.accounts"]
grain   = ["finding_id", "source", "account_id", "entitlement_type", "entitlement_id", "other_source", "other_account_id", "other_entitlement_type", "other_entitlement_id"]

[columns]
finding_id             = "varchar: the finding"
person_id              = "varchar: the person who holds both"
source                 = "varchar: the account's source"
account_id             = "varchar: the account"
entitlement_type       = "varchar: role or group"
entitlement_id         = "varchar: its id"
other_source           = "varchar: the source of the other side's account"
other_account_id       = "varchar: the account that holds the other side"
other_entitlement_type = "varchar: role or group"
other_entitlement_id   = "varchar: its id"
other_name             = "varchar: the other side in words, with its account if it is a different one"
*/
select
    named.finding_id,
    account.person_id,
    named.source,
    named.account_id,
    named.entitlement_type,
    named.entitlement_id,
    other.source as other_source,
    other.account_id as other_account_id,
    other.entitlement_type as other_entitlement_type,
    other.entitlement_id as other_entitlement_id,
    other.entitlement_type || ' ' || coalesce(other_access.entitlement_name, other.entitlement_id)
        || case
            when other.source = named.source and other.account_id = named.account_id then ''
            else ' of account ' || coalesce(other_account.user_name, other_account.email, other.account_id)
                || case when other.source = named.source then '' else ' in ' || other.source end
        end as other_name
from reports.finding_access as named
join reports.finding_access as other on other.finding_id = named.finding_id and other.side <> named.side
left join graph.accounts as account on account.source = named.source and account.account_id = named.account_id
left join graph.accounts as other_account
    on other_account.source = other.source and other_account.account_id = other.account_id
left join graph.effective_access as other_access
    on other_access.source = other.source and other_access.account_id = other.account_id
    and other_access.entitlement_type = other.entitlement_type and other_access.entitlement_id = other.entitlement_id
where named.status = 'open'

/* example
name = "each side names the other, with the account if it differs; an accepted conflict is not listed"
given."graph.accounts" = [
  { source = "s", account_id = "1", person_id = "ada", user_name = "ada" },
  { source = "t", account_id = "2", person_id = "ada", user_name = "ada.admin" },
]
given."graph.effective_access" = [
  { source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", entitlement_name = "Data Admin" },
  { source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "p", entitlement_name = "Payments" },
  { source = "t", account_id = "2", entitlement_type = "group", entitlement_id = "g", entitlement_name = "Audit" },
]
given."reports.finding_access" = [
  { finding_id = "a", status = "open", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", side = "left" },
  { finding_id = "a", status = "open", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "p", side = "right" },
  { finding_id = "b", status = "open", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "p", side = "left" },
  { finding_id = "b", status = "open", source = "t", account_id = "2", entitlement_type = "group", entitlement_id = "g", side = "right" },
  { finding_id = "c", status = "accepted_risk", source = "s", account_id = "1", entitlement_type = "role", entitlement_id = "r", side = "left" },
  { finding_id = "c", status = "accepted_risk", source = "t", account_id = "2", entitlement_type = "group", entitlement_id = "g", side = "right" },
  { finding_id = "d", status = "open", source = "s", account_id = "1", entitlement_type = "group", entitlement_id = "p" },
]
expect = [
  { finding_id = "a", entitlement_id = "r", other_name = "group Payments", person_id = "ada" },
  { finding_id = "a", entitlement_id = "p", other_name = "role Data Admin" },
  { finding_id = "b", entitlement_id = "p", other_name = "group Audit of account ada.admin in t" },
  { finding_id = "b", entitlement_id = "g", other_name = "group Payments of account ada in s" },
]
*/
