/*
summary = "One line of exceptions.csv or out_of_scope.csv, with the key by which it names its subject."
reads   = ["policy.exceptions", "policy.out_of_scope"]
grain   = ["policy", "is_default", "line"]

[columns]
policy      = "varchar: exceptions or out_of_scope"
line        = "integer: line of the policy file"
is_default  = "boolean: it comes with the program"
rule_id     = "varchar: the rule an exception is for; null for out_of_scope"
source      = "varchar: the source it holds for; null for all"
subject     = "varchar: what the line says"
subject_key = "varchar: that, as addresses and user names are compared"
reason      = "varchar: why"
approved_by = "varchar: who decided"
expires_on  = "date: last day of an exception; null for out_of_scope"
*/
select
    'exceptions' as policy, line, is_default, rule_id, source, subject, match_key(subject) as subject_key, reason,
    approved_by, expires_on
from policy.exceptions
union all
select
    'out_of_scope', line, is_default, null, source, subject, match_key(subject), reason, approved_by, null
from policy.out_of_scope

/* example
name = "both files, with keys"
given."policy.exceptions" = [ { rule_id = "r", subject = "Ada@Example.com\u00a0", reason = "x", approved_by = "y", expires_on = 2026-01-01, line = 2, is_default = false } ]
given."policy.out_of_scope" = [ { subject = "BO", reason = "x", approved_by = "y", line = 2, is_default = false } ]
expect = [ { policy = "exceptions", subject_key = "ada@example.com" }, { policy = "out_of_scope", subject_key = "bo" } ]
*/
