/*
summary = "One list of objects of one source, and whether it was read to a proven end. The verdict on accounts does not depend on it."
reads   = ["staging.object_checks"]
grain   = ["source", "list"]

[columns]
source      = "varchar: the source's name in the configuration"
list        = "varchar: dashboards, models, row_rules, folders, seats, sign_on, mailed_reports or tenants"
state       = "varchar: FULL, PARTIAL, NOT_AVAILABLE (the source does not give it to the caller) or NOT_READ"
explanation = "varchar: why the list is not FULL, or what proves that it is"
loses       = "varchar: what the report lacks; null if the list is FULL and says everything"
*/
with

sources as (
    select source, explanation from staging.object_checks where list = ''
),

lists as (
    select * from (values
        (
            'dashboards', 'The report does not show dashboards and who can open them.',
            'Some dashboards, or some of those who can open them, may be missing from the report.'
        ),
        (
            'models', 'The report does not show data models and who can query them.',
            'Some data models, or some of those who can query them, may be missing from the report.'
        ),
        (
            'row_rules', 'The report does not show which rows of a data model an account can see.',
            'The report does not show for every data model which rows an account can see.'
        ),
        (
            'folders', 'The report does not show the folders of dashboards.',
            'Some folders of dashboards have no name in the report.'
        ),
        (
            'seats', 'The report does not show how many seats the licence has.',
            'The report does not show the seats of every class.'
        ),
        (
            'sign_on', 'The report does not show how single sign-on and the lockout after failed logins are set.',
            'The report shows only part of the settings of single sign-on and of the lockout after failed logins.'
        ),
        (
            'mailed_reports', 'The report does not show who gets reports by mail.',
            'Some reports that are sent by mail, or some of their recipients, may be missing from the report.'
        ),
        (
            'tenants', 'The report does not show the tenants of the server.',
            'Some tenants may be missing from the report.'
        )
    ) as list(list, absent, incomplete)
),

check_results as (
    select
        source, list,
        max(state) as state,
        bool_or(check_id = 'dashboards_public_read' and result = 'NOT_AVAILABLE') as lacks_public_links,
        string_agg(explanation, ' ' order by check_id) filter (where result = 'FAIL') as failures,
        string_agg(explanation, ' ' order by check_id)
            filter (where result = 'NOT_AVAILABLE' and check_id <> list || '_read') as absences,
        min(explanation) filter (where check_id = list || '_read') as reading
    from staging.object_checks
    where list <> ''
    group by source, list
)

select
    sources.source,
    lists.list,
    coalesce(checks.state, 'NOT_READ') as state,
    case
        when checks.state is null then coalesce(sources.explanation, '')
        else concat_ws(' ', coalesce(checks.failures, checks.reading), checks.absences)
    end as explanation,
    case
        when checks.state = 'FULL' and checks.lacks_public_links
            then 'The report does not show which dashboards everybody with the link can open, and who was invited.'
        when checks.state = 'FULL' then null
        when checks.state = 'PARTIAL' then lists.incomplete
        else lists.absent
    end as loses
from sources
cross join lists
left join check_results as checks on checks.source = sources.source and checks.list = lists.list

/* example
name = "a failed check makes a list PARTIAL; a list that does not exist is NOT_AVAILABLE; without checks it was not read"
given."staging.object_checks" = [
  { source = "s", list = "", check_id = "", result = "NOT_AVAILABLE", explanation = "Objects are off." },
  { source = "s", list = "dashboards", check_id = "dashboards_read", result = "PASS", state = "FULL", explanation = "Read." },
  { source = "s", list = "dashboards", check_id = "dashboards_end_proven", result = "PASS", state = "FULL", explanation = "Proven." },
  { source = "s", list = "models", check_id = "models_read", result = "PASS", state = "FULL", explanation = "Read." },
  { source = "s", list = "models", check_id = "models_end_proven", result = "FAIL", state = "PARTIAL", explanation = "A page is missing." },
  { source = "s", list = "seats", check_id = "seats_read", result = "NOT_AVAILABLE", state = "NOT_AVAILABLE", explanation = "Refused (403)." },
]
expect = [
  { list = "dashboards", state = "FULL", explanation = "Read.", loses = "<null>" },
  { list = "models", state = "PARTIAL", explanation = "A page is missing.", loses = "Some data models, or some of those who can query them, may be missing from the report." },
  { list = "seats", state = "NOT_AVAILABLE", explanation = "Refused (403).", loses = "The report does not show how many seats the licence has." },
  { list = "folders", state = "NOT_READ", explanation = "Objects are off." }, { list = "row_rules", state = "NOT_READ" },
  { list = "sign_on", state = "NOT_READ" }, { list = "mailed_reports", state = "NOT_READ" }, { list = "tenants", state = "NOT_READ" },
]
*/
/* example
name = "dashboards whose public links are not known are FULL, and the report says what it lacks"
given."staging.object_checks" = [
  { source = "s", list = "", check_id = "", result = "NOT_AVAILABLE", explanation = "Objects are off." },
  { source = "s", list = "dashboards", check_id = "dashboards_read", result = "PASS", state = "FULL", explanation = "Read." },
  { source = "s", list = "dashboards", check_id = "dashboards_public_read", result = "NOT_AVAILABLE", state = "FULL", explanation = "Public links are not known." },
]
expect = [
  { list = "dashboards", state = "FULL", explanation = "Read. Public links are not known.", loses = "The report does not show which dashboards everybody with the link can open, and who was invited." },
  { list = "models", state = "NOT_READ" }, { list = "seats", state = "NOT_READ" },
  { list = "folders", state = "NOT_READ" }, { list = "row_rules", state = "NOT_READ" },
  { list = "sign_on", state = "NOT_READ" }, { list = "mailed_reports", state = "NOT_READ" }, { list = "tenants", state = "NOT_READ" },
]
*/
