/*
summary = "One person of the roster, with the keys by which their addresses and their name are compared."
reads   = ["policy.roster"]
grain   = ["person_id"]

[columns]
person_id         = "varchar: the roster's own id, else the e-mail address in lower case"
email             = "varchar: e-mail address"
email_key         = "varchar: the e-mail address as it is compared"
alias_keys        = "varchar[]: further addresses and user names, as they are compared"
display_name      = "varchar: name as the roster writes it"
name_key          = "varchar: the name as it is compared"
department        = "varchar: department"
title             = "varchar: job title"
manager_email     = "varchar: the manager's e-mail address"
manager_key       = "varchar: the manager's e-mail address as it is compared"
employment_status = "varchar: active, leave or ended"
start_date        = "date: first day"
end_date          = "date: last day"
person_type       = "varchar: employee, contractor or service"
*/
select
    person_id, trimmed(email) as email, match_key(email) as email_key,
    list_filter(list_transform(aliases, lambda alias: match_key(alias)), lambda alias: alias is not null) as alias_keys,
    display_name, match_key(display_name) as name_key, department, title,
    trimmed(manager_email) as manager_email, match_key(manager_email) as manager_key,
    employment_status, start_date, end_date, person_type
from policy.roster

/* example
name = "an address is compared without blanks of any script, without invisible characters, composed and in lower case"
given."policy.roster" = [
  { person_id = "p", email = "\u00a0Ada@Example.com\u200b", aliases = ["Jose\u0301", "\u2060"], display_name = "Jose\u0301 Ek ", manager_email = "BO@example.com", row = 1 },
]
expect = [
  { person_id = "p", email = "Ada@Example.com", email_key = "ada@example.com", alias_keys = ["jos\u00e9"], name_key = "jos\u00e9 ek", manager_key = "bo@example.com" },
]
*/
