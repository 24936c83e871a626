-- Which requests were sent, with those for one record each (such as the shares of every dashboard) in one row?
with

split_requests as (
    select
        source, resource, endpoint, parameters, sweep, requests, items, bytes, attempts, first_started_at, last_finished_at,
        string_split(endpoint, '/') as segments
    from reports.requests
),

-- More requests than this of one form differ only in the record that they ask for.
forms as (
    select source, resource, sweep, len(segments) as length, segments[:6] as prefix, count(*) > 5 as is_merged
    from split_requests
    group by source, resource, sweep, len(segments), segments[:6]
),

formed_requests as (
    select requests.*, forms.is_merged, case when forms.is_merged then array_to_string(forms.prefix, '/') else requests.endpoint end as form
    from split_requests as requests
    join forms
        on forms.source = requests.source and forms.resource = requests.resource and forms.sweep = requests.sweep
        and forms.length = len(requests.segments) and forms.prefix = requests.segments[:6]
)

select
    source, resource, sweep,
    case when is_merged then form || '/…' || case when count(distinct segments[-1]) = 1 then '/' || min(segments[-1]) else '' end
        else min(endpoint) end as endpoint,
    case when count(distinct parameters) <= 1 then url_decode(min(parameters)) else 'with ' || count(distinct parameters) || ' different queries' end
        as parameters,
    count(*) as endpoints,
    cast(sum(requests) as bigint) as requests, cast(sum(items) as bigint) as items, cast(sum(bytes) as bigint) as bytes,
    cast(sum(attempts) as bigint) as attempts, min(first_started_at) as first_started_at,
    max(last_finished_at) as last_finished_at
from formed_requests
group by source, resource, sweep, len(segments), form, is_merged
order by source, sweep, resource, endpoint, parameters
