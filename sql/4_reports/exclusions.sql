/*
summary = "One line of out_of_scope.csv: an exclusion from the review, its reason, and who approved it."
reads   = ["policy.out_of_scope", "graph.policy_subjects"]
grain   = ["line"]

[columns]
line        = "integer: line of the policy file"
source      = "varchar: the source; null for all"
subject     = "varchar: the subject as written: id, user name, e-mail address or name"
reason      = "varchar: reason for the exclusion"
approved_by = "varchar: who approved it"
accounts    = "bigint: number of accounts that it excludes"
*/
with

excluded_accounts as (
    select line, count(*) as accounts
    from graph.policy_subjects
    where policy = 'out_of_scope' and subject_type = 'account' and is_in_force
    group by line
)

select
    lines.line,
    lines.source,
    lines.subject,
    lines.reason,
    lines.approved_by,
    coalesce(excluded_accounts.accounts, 0) as accounts
from policy.out_of_scope as lines
left join excluded_accounts on excluded_accounts.line = lines.line

/* example
name = "a line that matches no account excludes none, and is listed"
given."policy.out_of_scope" = [
  { line = 2, subject = "probe", reason = "monitoring", approved_by = "ciso@example.com" },
  { line = 3, subject = "gone", reason = "left", approved_by = "ciso@example.com" },
]
given."graph.policy_subjects" = [
  { policy = "out_of_scope", line = 2, subject_type = "account", source = "s", subject_id = "1", is_in_force = true },
  { policy = "out_of_scope", line = 2, subject_type = "account", source = "t", subject_id = "1", is_in_force = true },
]
expect = [ { line = 2, accounts = 2 }, { line = 3, accounts = 0 } ]
*/
