/*
summary = "One person in the roster. Empty if there is no roster."
reads   = ["staging.people"]
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
    person_id, email, email_key, alias_keys, display_name, name_key, department, title, manager_email, manager_key,
    employment_status, start_date, end_date, person_type
from staging.people
