-- How many accounts have a text in the annex that the bundled font cannot set, and how many are there?
select
    count(*) filter (regexp_matches(concat_ws(' ', display_name, email, user_name, account_id, role_display_name), '[^\x{20}-\x{24f}\x{370}-\x{52f}\x{1e00}-\x{1fff}\x{2000}-\x{2bff}]')) as others,
    count(*) as accounts
from reports.population
