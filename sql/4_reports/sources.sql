/*
summary = "One source of the snapshot, the account that read it, and its size."
reads   = ["meta.sources", "graph.sources"]
grain   = ["source"]

[columns]
source              = "varchar: the source's name in the configuration"
kind                = "varchar: sisense, scim, okta, entra or files"
label               = "varchar: the product and the name; for an application that is read from files, the name alone"
url                 = "varchar: its address"
api                 = "varchar: the API flavour"
version             = "varchar: the version that it reports"
principal_user_name = "varchar: user name of the account that read it"
principal_role_name = "varchar: that account's role"
settings            = "varchar: detected settings of the API, as JSON"
account_count       = "bigint: accounts"
role_count          = "bigint: roles"
group_count         = "bigint: groups"
started_at          = "timestamp: first request"
finished_at         = "timestamp: last answer"
*/
select
    meta.source,
    meta.kind,
    case meta.kind
        when 'sisense' then 'Sisense ' || meta.source
        when 'scim' then 'SCIM ' || meta.source
        when 'okta' then 'Okta ' || meta.source
        when 'entra' then 'Entra ID ' || meta.source
        else meta.source
    end as label,
    meta.url,
    meta.api,
    meta.version,
    meta.principal_user_name,
    meta.principal_role_name,
    meta.settings::varchar as settings,
    coalesce(counted.account_count, 0) as account_count,
    coalesce(counted.role_count, 0) as role_count,
    coalesce(counted.group_count, 0) as group_count,
    meta.started_at,
    meta.finished_at
from meta.sources as meta
left join graph.sources as counted on counted.source = meta.source
where meta.snapshot_id = $snapshot_id
