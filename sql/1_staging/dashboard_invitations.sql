/*
summary = "One address that was invited to a dashboard and has no account yet."
reads   = ["raw.dashboards"]
grain   = ["source", "dashboard_id", "email_key"]

[columns]
source       = "varchar: the source's name in the configuration"
dashboard_id = "varchar: the dashboard"
email        = "varchar: the address, trimmed"
email_key    = "varchar: the address, normalised for comparison"
*/
with

invitations as (
    select
        source, payload ->> '$.oid' as dashboard_id,
        trimmed(unnest(json_transform(payload, '{"sharesToNew": [{"email": "VARCHAR"}]}').sharesToNew).email) as email
    from raw.dashboards
    where snapshot_id = $snapshot_id and is_accepted
)

select source, dashboard_id, min(email) as email, match_key(email) as email_key
from invitations
where dashboard_id is not null and match_key(email) is not null
group by source, dashboard_id, match_key(email)

/* example
name = "each address counts once"
given."raw.dashboards" = [
  { snapshot_id = "example", source = "s", page = 1, ordinal = 1, is_accepted = true, payload = '{"oid":"d","sharesToNew":[{"email":" Ann@Partner.test"},{"email":"ann@partner.test"},{"email":""},{}]}' },
  { snapshot_id = "example", source = "s", page = 1, ordinal = 2, is_accepted = true, payload = '{"oid":"e"}' },
]
expect = [ { dashboard_id = "d", email = "Ann@Partner.test", email_key = "ann@partner.test" } ]
*/
