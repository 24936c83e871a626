/*
title       = "Source without login data"
summary     = "A source that gives no last login or activity for any account, so that stale accounts cannot be found."
severity    = "medium"
population  = "select source from graph.sources"
reads       = ["graph.sources"]
grain       = ["source"]
remediation = "Extract as an administrator, or upgrade the source; for an application that is read from files, export the last login. Until then, review each of its accounts by hand."

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
name = "login data for no account fails, for one account passes; if that cannot be determined, it is unknown"
given."graph.sources" = [
  { source = "mute", gives_last_seen = false, account_count = 2 }, { source = "s", gives_last_seen = true, account_count = 2 },
  { source = "not known", account_count = 0 },
]
expect = [ { source = "mute", verdict = "failed" }, { source = "not known", verdict = "unknown" } ]
population = 3
*/
