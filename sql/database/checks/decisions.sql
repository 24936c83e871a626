-- Of which items is a decision missing? An item's decisions are numbered from 1 on, and never deleted.
select
    'review.decisions' as place,
    'the item ' || item_id || ' of the campaign ' || campaign || ' has ' || counted(count(*), 'decision')
    || '; the last one is number ' || max(sequence) as problem
from review.decisions
group by campaign, item_id
having max(sequence) <> count(*)
order by campaign, item_id
