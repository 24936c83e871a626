/*
summary = "One source that the baseline has accounts of. Rules about change are not evaluated for other sources."
reads   = ["baseline.accounts"]
grain   = ["source"]

[columns]
source = "varchar: the source's name in the configuration"
*/
select distinct source from baseline.accounts

/* example
name = "each source once"
given."baseline.accounts" = [
  { source = "s", account_id = "1" }, { source = "s", account_id = "2" }, { source = "t", account_id = "1" },
]
expect = [ { source = "s" }, { source = "t" } ]
*/
