-- Which dashboards and data models are the most exposed?
-- $shown: the most objects
select *
from reports.object_exposure
where position <= $shown
order by position
