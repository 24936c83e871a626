/*
summary = "One line of service_accounts.csv or break_glass.csv, with normalised keys for matching accounts."
reads   = ["policy.service_accounts", "policy.break_glass"]
grain   = ["policy", "is_default", "line"]

[columns]
policy        = "varchar: service_accounts or break_glass"
line          = "integer: line of the policy file"
is_default    = "boolean: the line is a default of the program"
user_name     = "varchar: the user name in the line"
user_name_key = "varchar: the user name, normalised for comparison"
email         = "varchar: the e-mail address in the line"
email_key     = "varchar: the e-mail address, normalised for comparison"
owner_email   = "varchar: the e-mail address of the account's owner"
purpose       = "varchar: the purpose of the account"
review_by     = "date: the day a service account is due for review; null for break_glass"
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
name = "lines of both files have keys"
given."policy.service_accounts" = [ { user_name = " SVC", line = 2, is_default = false } ]
given."policy.break_glass" = [ { email = "Fire@example.com", line = 2, is_default = false } ]
expect = [
  { policy = "service_accounts", user_name_key = "svc", email_key = "<null>" },
  { policy = "break_glass", user_name_key = "<null>", email_key = "fire@example.com" },
]
*/
