-- Which data models have row rules?
-- $shown: the most models
-- Those with a label come first, then those that leave the most accounts and groups every row.
select *, count(*) over () as total
from reports.row_rules
where restricted_columns > 0
order by sensitivity is null, open_columns desc, see_everything desc, model_name, source, model_id
limit $shown
