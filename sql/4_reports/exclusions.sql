/*
summary = "One line of out_of_scope.csv: who is left out of the review, why, and who approved that."
reads   = ["policy.out_of_scope", "graph.policy_subjects"]
grain   = ["line"]

[columns]
line        = "integer: line of the policy file"
source      = "varchar: the source it is about; null for all"
subject     = "varchar: what the line says: id, user name, e-mail address or name"
reason      = "varchar: why"
approved_by = "varchar: who decided"
accounts    = "bigint: accounts that it leaves out"
*/
with

left_out as (
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
    coalesce(left_out.accounts, 0) as accounts
from policy.out_of_scope as lines
left join left_out on left_out.line = lines.line
order by lines.line

/* example
name = "a line that names nobody leaves nobody out, and is shown"
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
