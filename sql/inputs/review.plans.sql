-- Which remediation plans does a build use?
-- $finished_at: when the extract of the build ended; plans approved later are left out
-- Only the file's name is kept, because its path describes the machine that applied the plan.
select * replace (parse_filename(path) as path) from review.plans where approved_at <= $finished_at
