-- Which lines of the roster file are wrong, and why?
-- $email: the file's heading of the column email
-- $manager_email: the file's heading of the column manager_email
-- $aliases: the file's heading of the column aliases
-- $employment_status: the file's heading of the column employment_status
-- $start_date: the file's heading of the column start_date
-- $end_date: the file's heading of the column end_date
-- $person_type: the file's heading of the column person_type
with

cells as (
    select line, 'address' as kind, $email as label, email as text from temp.roster_file
    union all
    select line, 'address', $manager_email, manager_email from temp.roster_file
    union all
    select line, 'addresses', $aliases, aliases from temp.roster_file
    union all
    select line, 'status', $employment_status, employment_status from temp.roster_file
    union all
    select line, 'day', $start_date, start_date from temp.roster_file
    union all
    select line, 'day', $end_date, end_date from temp.roster_file
    union all
    select line, 'type', $person_type, person_type from temp.roster_file
),

problems as (
    select cells.line, 'the ' || cells.label || ' ' || meanings.problem as problem
    from cells
    join temp.roster_meanings as meanings on meanings.kind = cells.kind and meanings.text = cells.text
    where meanings.problem is not null
    union all
    select line, 'there is no ' || $email from temp.roster_file where email is null
    union all
    select line, 'the person_id ''' || person_id || ''' was already used in line ' || first_line
    from temp.roster_people
    where is_repeated and line > first_line and person_id is not null
)

select line, problem from problems order by line, problem
