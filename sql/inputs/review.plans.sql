-- Which remediation plans does a build know?
-- $finished_at: when the extract of the build ended; what happened later is not known to the build
-- Only the name of the file is kept: the rest of its path is about the machine that applied the plan.
select * replace (parse_filename(path) as path) from review.plans where approved_at <= $finished_at
