/*
summary = "One dashboard whose data model is known."
reads   = ["staging.dashboards", "staging.models"]
grain   = ["source", "dashboard_id"]

[columns]
source       = "varchar: the source's name in the configuration"
dashboard_id = "varchar: the dashboard"
model_id     = "varchar: the model that it shows"
*/
with

-- A dashboard names its model by title and server, and spells the server in any case. A title alone will do if the
-- server has another name there.
candidates as (
    select
        dashboard.source, dashboard.dashboard_id, model.model_id,
        case
            when starts_with(lower(dashboard.model_fullname), 'live:') then
                case when model.kind = 'live' then 1 else 3 end
            when model.kind = 'extract' and lower(model.server) = lower(dashboard.model_server) then 1
            when model.kind = 'live' and dashboard.model_server is not null then 3
            else 2
        end as fit
    from staging.dashboards as dashboard
    join staging.models as model on model.source = dashboard.source and model.title = dashboard.model_title
),

best_candidates as (
    select source, dashboard_id, min(model_id) as model_id, count(*) as candidates
    from candidates
    group by source, dashboard_id, fit
    qualify row_number() over (partition by source, dashboard_id order by fit) = 1
)

select source, dashboard_id, model_id from best_candidates where candidates = 1

/* example
name = "models of one title are told apart by server and kind; a model that cannot be told apart is not guessed"
given."staging.models" = [
  { source = "s", model_id = "x1", title = "Orders", kind = "extract", server = "localhost" },
  { source = "s", model_id = "x2", title = "Orders", kind = "extract", server = "BI-02" },
  { source = "s", model_id = "l1", title = "Orders", kind = "live" },
  { source = "s", model_id = "x3", title = "Stock", kind = "extract", server = "localhost" },
  { source = "t", model_id = "x1", title = "Orders", kind = "extract", server = "localhost" },
]
given."staging.dashboards" = [
  { source = "s", dashboard_id = "1", model_title = "Orders", model_server = "LocalHost", model_fullname = "LocalHost/Orders" },
  { source = "s", dashboard_id = "2", model_title = "Orders", model_server = "bi-02", model_fullname = "bi-02/Orders" },
  { source = "s", dashboard_id = "3", model_title = "Orders", model_fullname = "live:Orders" },
  { source = "s", dashboard_id = "4", model_title = "Orders", model_server = "10.0.0.7", model_fullname = "10.0.0.7/Orders" },
  { source = "s", dashboard_id = "5", model_title = "Stock", model_server = "10.0.0.7" },
  { source = "s", dashboard_id = "6", model_title = "Gone" },
  { source = "s", dashboard_id = "7" },
  { source = "t", dashboard_id = "1", model_title = "Orders", model_server = "LocalHost" },
]
expect = [
  { source = "s", dashboard_id = "1", model_id = "x1" }, { source = "s", dashboard_id = "2", model_id = "x2" },
  { source = "s", dashboard_id = "3", model_id = "l1" }, { source = "s", dashboard_id = "5", model_id = "x3" },
  { source = "t", dashboard_id = "1", model_id = "x1" },
]
*/
