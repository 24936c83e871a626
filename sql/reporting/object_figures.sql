-- How many dashboards and data models are there, and how many are open in which way?
select
    count(*) filter (where object_type = 'dashboard') as dashboards,
    count(*) filter (where object_type = 'model') as models,
    count(*) filter (where is_public) as public_objects,
    count(*) filter (where object_type = 'dashboard' and is_public is null) as public_unknown,
    count(*) filter (where not has_shares) as without_shares,
    count(*) filter (where is_for_everyone) as for_everyone,
    count(*) filter (where invitations > 0) as invited,
    count(*) filter (where is_sensitive) as sensitive,
    (select count(*) from reports.row_rules where restricted_columns > 0) as models_with_rules,
    (select count(*) from reports.row_rules where restricted_columns = 0 and is_for_everyone) as open_models
from reports.object_exposure
