/*
summary = "One account that a line of service_accounts.csv or break_glass.csv lists, by user name or e-mail address."
reads   = ["staging.users", "staging.registered_accounts"]
grain   = ["source", "account_id", "policy", "is_default", "line"]

[columns]
source      = "varchar: the source's name in the configuration"
account_id  = "varchar: the account"
policy      = "varchar: service_accounts or break_glass"
is_default  = "boolean: the line is a default of the program"
line        = "integer: line of the policy file"
owner_email = "varchar: the e-mail address of the account's owner"
purpose     = "varchar: the purpose of the account"
review_by   = "date: the day a service account is due for review; null for break_glass"

[checks.policy_names_no_account]
level = "warn"
sql = """
select lines.policy || '.csv, line ' || lines.line || ': there is no account ''' || coalesce(lines.user_name, lines.email) || '''' as problem
from staging.registered_accounts as lines
anti join graph.registrations as registration
    on registration.policy = lines.policy and registration.is_default = lines.is_default and registration.line = lines.line
where not lines.is_default
order by lines.policy, lines.line
"""
*/
select account.source, account.account_id, lines.policy, lines.is_default, lines.line, lines.owner_email, lines.purpose,
    lines.review_by
from staging.registered_accounts as lines
join staging.users as account on account.user_name_key = lines.user_name_key
union
select account.source, account.account_id, lines.policy, lines.is_default, lines.line, lines.owner_email, lines.purpose,
    lines.review_by
from staging.registered_accounts as lines
join staging.users as account on account.email_key = lines.email_key

/* example
name = "an account is listed by user name or e-mail address, and once if both match; unmatched lines list no account"
given."staging.registered_accounts" = [
  { policy = "service_accounts", line = 2, is_default = false, user_name_key = "svc", email_key = "svc@example.com" },
  { policy = "break_glass", line = 2, is_default = false, email_key = "fire@example.com" },
  { policy = "break_glass", line = 3, is_default = false, user_name_key = "gone" },
]
given."staging.users" = [
  { source = "s", account_id = "both", user_name_key = "svc", email_key = "svc@example.com" },
  { source = "t", account_id = "address", user_name_key = "x", email_key = "fire@example.com" },
  { source = "t", account_id = "neither" },
]
expect = [
  { source = "s", account_id = "both", policy = "service_accounts", line = 2 },
  { source = "t", account_id = "address", policy = "break_glass", line = 2 },
]
*/
