/*
title       = "Source without last logins"
summary     = "A source that gives a last login or activity for nobody, so that unused accounts cannot be found in it."
severity    = "medium"
population  = "select source from graph.sources"
reads       = ["graph.sources"]
grain       = ["source"]
remediation = "Read the source as an administrator, or upgrade it; until then review every account of it by hand."

[controls]
soc2 = ["CC6.2"]
*/
select
    source,
    case when gives_last_seen is null then 'unknown' else 'failed' end as verdict,
    'None of ' || account_count || ' accounts has a usable last login or activity.' as detail,
    'none of ' || account_count as observed_value,
    'at least one' as threshold
from graph.sources
where gives_last_seen is distinct from true

/* example
name = "a source that gives it for nobody fails, for one account passes, and where that is not known it is unknown"
given."graph.sources" = [
  { source = "mute", gives_last_seen = false, account_count = 2 }, { source = "s", gives_last_seen = true, account_count = 2 },
  { source = "not known", account_count = 0 },
]
expect = [ { source = "mute", verdict = "failed" }, { source = "not known", verdict = "unknown" } ]
population = 3
*/
