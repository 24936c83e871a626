/*
summary = "One finding with what a reader wants to see beside it, worst first."
reads   = ["findings.register", "reports.population", "graph.people"]
grain   = ["finding_id"]

[columns]
finding_id        = "varchar: hash of the rule and of what it is about"
rule_id           = "varchar: the rule"
severity          = "varchar: critical, high, medium, low or info"
severity_rank     = "integer: 1 critical to 5 info"
source            = "varchar: the source's name in the configuration"
subject_type      = "varchar: account, person, group, role or source"
subject_id        = "varchar: its id"
account_id        = "varchar: the account, where it is about one"
label             = "varchar: the name of the account, person, group or role; its id where it has no name"
email             = "varchar: e-mail address"
role              = "varchar: the role's name as people see it"
department        = "varchar: the person's department"
last_seen_at      = "timestamp: when the account was last seen"
days_since_seen   = "bigint: whole days since then"
login_state       = "varchar: seen, never or unknown"
detail            = "varchar: what was found, in a sentence"
observed_value    = "varchar: what was observed"
threshold         = "varchar: what it was held against"
status            = "varchar: open, accepted_risk or out_of_scope"
*/
select
    found.finding_id,
    found.rule_id,
    found.severity,
    case found.severity when 'critical' then 1 when 'high' then 2 when 'medium' then 3 when 'low' then 4 else 5 end
        as severity_rank,
    found.source,
    found.subject_type,
    found.subject_id,
    found.account_id,
    coalesce(found.subject_name, found.subject_id) as label,
    coalesce(found.email, account.user_name) as email,
    coalesce(account.role_display_name, account.role_id) as role,
    coalesce(account.department, person.department) as department,
    account.last_seen_at,
    account.days_since_seen,
    account.login_state,
    found.detail,
    found.observed_value,
    found.threshold,
    found.status
from findings.register as found
left join reports.population as account on account.source = found.source and account.account_id = found.account_id
left join graph.people as person on found.subject_type = 'person' and person.person_id = found.subject_id
