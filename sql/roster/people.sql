-- Who does the roster file list, and which record of a person is the current one?
with

-- "temp.roster_file" has the cells of the known columns; "temp.roster_meanings" the values of cells that are more than text.
read_records as (
    select
        file.line, file.person_id, file.display_name, file.department, file.title,
        coalesce(emails.meaning, file.email) as email,
        coalesce(manager_emails.meaning, file.manager_email) as manager_email,
        case
            when alias_lists.text is not null then from_json(alias_lists.meaning, '["VARCHAR"]')
            when file.aliases is not null then [file.aliases]
            else []
        end as aliases,
        statuses.meaning as employment_status,
        cast(start_dates.meaning as date) as start_date,
        cast(end_dates.meaning as date) as end_date,
        types.meaning as person_type
    from temp.roster_file as file
    left join temp.roster_meanings as emails on emails.kind = 'address' and emails.text = file.email
    left join temp.roster_meanings as manager_emails
        on manager_emails.kind = 'address' and manager_emails.text = file.manager_email
    left join temp.roster_meanings as alias_lists on alias_lists.kind = 'addresses' and alias_lists.text = file.aliases
    left join temp.roster_meanings as statuses on statuses.kind = 'status' and statuses.text = file.employment_status
    left join temp.roster_meanings as start_dates on start_dates.kind = 'day' and start_dates.text = file.start_date
    left join temp.roster_meanings as end_dates on end_dates.kind = 'day' and end_dates.text = file.end_date
    left join temp.roster_meanings as types on types.kind = 'type' and types.text = file.person_type
),

keyed_records as (
    select
        * replace (
            coalesce(person_id, lower(email)) as person_id,
            list_filter(aliases, lambda alias: lower(alias) <> lower(email)) as aliases
        ),
        employment_status is distinct from 'ended' and end_date is null as is_open
    from read_records
),

-- A person who left and came back has an ended and a current employment. The open one counts, else the last to end.
counted_records as (
    select
        *,
        count(*) over person as records,
        count(*) filter (is_open) over person as open_records,
        count(distinct lower(email)) over person as addresses,
        count(distinct end_date) over person as end_dates,
        min(line) over person as first_line,
        row_number() over (partition by person_id order by is_open desc, end_date desc nulls last, line) as place
    from keyed_records
    window person as (partition by person_id)
)

select
    *,
    place = 1 as is_current,
    -- Records with different addresses, or several open ones, are not a rehire: the person_id is used twice.
    records > 1 and not (addresses = 1 and (open_records = 1 or (open_records = 0 and end_dates = records)))
        as is_repeated
from counted_records
