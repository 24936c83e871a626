/*
summary = "One line of exceptions.csv or out_of_scope.csv, with a normalised key for matching its subject."
reads   = ["policy.exceptions", "policy.out_of_scope"]
grain   = ["policy", "is_default", "line"]

[columns]
policy      = "varchar: exceptions or out_of_scope"
line        = "integer: line of the policy file"
is_default  = "boolean: the line is a default of the program"
rule_id     = "varchar: the rule that an exception applies to; null for out_of_scope"
source      = "varchar: the source that the line applies to; null for all sources"
subject     = "varchar: the subject, as the line gives it"
subject_key = "varchar: the subject, normalised for comparison with addresses and user names"
reason      = "varchar: the reason given"
approved_by = "varchar: the person who approved the line"
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
name = "lines of both files have keys"
given."policy.exceptions" = [ { rule_id = "r", subject = "Ada@Example.com\u00a0", reason = "x", approved_by = "y", expires_on = 2026-01-01, line = 2, is_default = false } ]
given."policy.out_of_scope" = [ { subject = "BO", reason = "x", approved_by = "y", line = 2, is_default = false } ]
expect = [ { policy = "exceptions", subject_key = "ada@example.com" }, { policy = "out_of_scope", subject_key = "bo" } ]
*/
