/*
summary = "One line of service_accounts.csv or break_glass.csv, with the keys by which it names its accounts."
reads   = ["policy.service_accounts", "policy.break_glass"]
grain   = ["policy", "is_default", "line"]

[columns]
policy        = "varchar: service_accounts or break_glass"
line          = "integer: line of the policy file"
is_default    = "boolean: it comes with the program"
user_name     = "varchar: the user name it names"
user_name_key = "varchar: the user name as it is compared"
email         = "varchar: the e-mail address it names"
email_key     = "varchar: the e-mail address as it is compared"
owner_email   = "varchar: who answers for the account"
purpose       = "varchar: what it is for"
review_by     = "date: when a service account is due for review"
*/
select
    'service_accounts' as policy, line, is_default, user_name, match_key(user_name) as user_name_key, email,
    match_key(email) as email_key, owner_email, purpose, review_by
from policy.service_accounts
union all
select
    'break_glass', line, is_default, user_name, match_key(user_name), email, match_key(email), owner_email, purpose,
    null
from policy.break_glass

/* example
name = "both registers, with keys"
given."policy.service_accounts" = [ { user_name = " SVC", line = 2, is_default = false } ]
given."policy.break_glass" = [ { email = "Fire@example.com", line = 2, is_default = false } ]
expect = [
  { policy = "service_accounts", user_name_key = "svc", email_key = "<null>" },
  { policy = "break_glass", user_name_key = "<null>", email_key = "fire@example.com" },
]
*/
