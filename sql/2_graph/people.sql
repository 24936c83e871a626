/*
summary = "One person of the roster. Empty where no roster was given."
reads   = ["policy.roster"]
grain   = ["person_id"]

[columns]
person_id         = "varchar: the roster's own id, else the e-mail address in lower case"
email             = "varchar: e-mail address"
display_name      = "varchar: name as the roster writes it"
department        = "varchar: department"
title             = "varchar: job title"
manager_email     = "varchar: the manager's e-mail address"
employment_status = "varchar: active, leave or ended"
start_date        = "date: first day"
end_date          = "date: last day"
person_type       = "varchar: employee, contractor or service"
*/
select
    person_id, email, display_name, department, title, manager_email, employment_status, start_date, end_date,
    person_type
from policy.roster
