/*
summary = "One person in the roster, with normalised keys for matching addresses and names."
reads   = ["policy.roster"]
grain   = ["person_id"]

[columns]
person_id         = "varchar: the id in the roster, else the e-mail address in lower case"
email             = "varchar: e-mail address"
email_key         = "varchar: the e-mail address, normalised for comparison"
alias_keys        = "varchar[]: further addresses and user names, normalised for comparison"
display_name      = "varchar: the name, as the roster gives it"
name_key          = "varchar: the name, normalised for comparison"
department        = "varchar: department"
title             = "varchar: job title"
manager_email     = "varchar: the manager's e-mail address"
manager_key       = "varchar: the manager's e-mail address, normalised for comparison"
employment_status = "varchar: active, leave or ended"
start_date        = "date: first day of employment"
end_date          = "date: last day of employment; null if none is set"
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
name = "a key has no surrounding blanks or invisible characters, is composed (NFC) and in lower case"
given."policy.roster" = [
  { person_id = "p", email = "\u00a0Ada@Example.com\u200b", aliases = ["Jose\u0301", "\u2060"], display_name = "Jose\u0301 Ek ", manager_email = "BO@example.com", row = 1 },
]
expect = [
  { person_id = "p", email = "Ada@Example.com", email_key = "ada@example.com", alias_keys = ["jos\u00e9"], name_key = "jos\u00e9 ek", manager_key = "bo@example.com" },
]
*/
