-- Who has several records, which one counts, and which lines were left out?
select
    person_id,
    max(line) filter (is_current) as counted_line,
    string_agg(line, ', ' order by line) filter (not is_current) as other_lines
from temp.roster_people
where records > 1
group by person_id
order by person_id
