/*
summary = "One person of the roster. Empty where no roster was given."
reads   = ["staging.people"]
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
    person_id, email, email_key, alias_keys, display_name, name_key, department, title, manager_email, manager_key,
    employment_status, start_date, end_date, person_type
from staging.people
