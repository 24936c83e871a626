-- Which sensitive objects are the most exposed?
-- $shown: the most objects
select *
from reports.object_exposure
where sensitive_position <= $shown
order by sensitive_position
