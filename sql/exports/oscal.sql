-- The rules, their findings and the controls that they give evidence for, as OSCAL assessment results 1.2.1
-- file: oscal-assessment-results.json
-- source: https://github.com/usnistgov/OSCAL/blob/v1.2.1/src/metaschema/oscal_assessment-results_metaschema.xml
-- checked: 2026-11-30
with

-- Ids of accounts, groups and so on are the same in every document; those of results belong to one build.
identified as (
    select
        *,
        'build:' || build_id || ':' as build_key,
        strftime(finished_at, '%Y-%m-%dT%H:%M:%SZ') as end_text,
        strftime(started_at, '%Y-%m-%dT%H:%M:%SZ') as start_text,
        name_uuid('plan:' || build_id) as plan_uuid,
        name_uuid('organization:' || organization) as organization_uuid
    from reports.snapshot
),

-- OSCAL ids are tokens. Those of NIST are the ids of its own catalog: AC-2(3) is ac-2.3.
named_controls as (
    select
        *,
        case framework
            when 'soc2' then 'SOC 2' when 'iso27001' then 'ISO 27001:2022' when 'pci' then 'PCI DSS 4.0.1'
            when 'nist' then 'NIST SP 800-53 revision 5' when 'cis' then 'CIS Controls 8' else 'HIPAA'
        end as framework_name,
        case when framework = 'nist' then '' else framework || '-' end || trim(
            regexp_replace(lower(control), '[^a-z0-9.-]+', '.', 'g'), '.'
        ) as control_id
    from reports.controls
),

rule_controls as (
    select 'soc2' as framework, unnest(string_split(soc2, ', ')) as control, rule_id from reports.control_matrix
    union all
    select 'iso27001', unnest(string_split(iso27001, ', ')), rule_id from reports.control_matrix
    union all
    select 'pci', unnest(string_split(pci, ', ')), rule_id from reports.control_matrix
    union all
    select 'nist', unnest(string_split(nist, ', ')), rule_id from reports.control_matrix
    union all
    select 'cis', unnest(string_split(cis, ', ')), rule_id from reports.control_matrix
    union all
    select 'hipaa', unnest(string_split(hipaa, ', ')), rule_id from reports.control_matrix
),

-- A value of a property has no line ends and no blanks around it; one that is empty is left out.
subjects as (
    select
        *,
        name_uuid('subject:' || subject_type || ':' || coalesce(source, '') || ':' || subject_id) as subject_uuid,
        case when subject_type in ('account', 'person') then 'user' else 'inventory-item' end as oscal_type,
        nullif(trim(regexp_replace(subject_id, '[\s\p{Z}\p{Cc}]+', ' ', 'g')), '') as id_text
    from reports.findings
),

distinct_subjects as (
    select
        subject_uuid, oscal_type, any_value(subject_type) as subject_type, any_value(source) as source,
        any_value(id_text) as id_text, min(display_name) as display_name
    from subjects
    group by subject_uuid, oscal_type
),

described_subjects as (
    select
        subject_uuid, oscal_type,
        coalesce(nullif(display_name, ''), id_text, 'no name') as title,
        [
            {'name': 'type', 'ns': 'urn:sisense-access-review', 'value': subject_type},
            case when source is not null then {'name': 'source', 'ns': 'urn:sisense-access-review', 'value': source} end,
            case when id_text is not null then {'name': 'id', 'ns': 'urn:sisense-access-review', 'value': id_text} end
        ] as props
    from distinct_subjects
),

users as (
    select
        list({
            'uuid': subject_uuid,
            'title': title,
            'props': props
        } order by subject_uuid) as items
    from described_subjects
    where oscal_type = 'user'
),

inventory as (
    select
        list({
            'uuid': subject_uuid,
            'description': title,
            'props': props
        } order by subject_uuid) as items
    from described_subjects
    where oscal_type = 'inventory-item'
),

components as (
    select
        list({
            'uuid': name_uuid('source:' || source),
            'type': 'service',
            'title': label,
            'description': 'A source of this access review: ' || counted(account_count, 'account') || ', '
                || counted(role_count, 'role') || ', ' || counted(group_count, 'group') || '.',
            'status': {'state': 'operational'}
        } order by source) as items
    from reports.sources
),

rule_subjects as (
    select
        rule_id,
        list({
            'subject-uuid': subject_uuid,
            'type': oscal_type,
            'title': coalesce(nullif(display_name, ''), id_text, 'no name'),
            'props': [
                {'name': 'finding-id', 'ns': 'urn:sisense-access-review', 'value': finding_id},
                {'name': 'severity', 'ns': 'urn:sisense-access-review', 'value': severity},
                {'name': 'status', 'ns': 'urn:sisense-access-review', 'value': status}
            ],
            'remarks': nullif(detail, '')
        } order by finding_id) as items
    from subjects
    group by rule_id
),

-- One rule is one observation, whatever it found.
observations as (
    select
        list({
            'uuid': name_uuid(identified.build_key || 'rule:' || rules.rule_id),
            'title': rules.title,
            'description': rules.summary,
            'props': [
                {'name': 'rule', 'ns': 'urn:sisense-access-review', 'value': rules.rule_id},
                {'name': 'outcome', 'ns': 'urn:sisense-access-review', 'value': case results.outcome when 'unknown' then 'not-evaluated' else results.outcome end},
                {'name': 'severity', 'ns': 'urn:sisense-access-review', 'value': rules.severity},
                {'name': 'population', 'ns': 'urn:sisense-access-review', 'value': coalesce(rules.population, 0)::varchar},
                {'name': 'failed', 'ns': 'urn:sisense-access-review', 'value': coalesce(rules.failed, 0)::varchar},
                {'name': 'not-evaluated', 'ns': 'urn:sisense-access-review', 'value': coalesce(rules.unknown, 0)::varchar},
                {'name': 'passed', 'ns': 'urn:sisense-access-review', 'value': coalesce(rules.passed, 0)::varchar}
            ],
            'methods': [case when results.outcome in ('off', 'unknown') then 'UNKNOWN' else 'TEST' end],
            'types': ['control-objective'],
            'subjects': found.items,
            'relevant-evidence': [
                {'href': '../sql/3_findings/' || rules.rule_id || '.sql', 'description': 'The rule, as SQL.'},
                case when found.rule_id is not null then {'href': '../findings.csv', 'description': 'All findings.'} end
            ],
            'collected': identified.end_text,
            'remarks': case when missing.reason is not null then 'Not evaluated: ' || missing.reason || '.' end
        } order by rules.rule_id) as items
    from reports.rule_summary as rules
    cross join identified
    join reports.rule_results as results on results.rule_id = rules.rule_id
    left join rule_subjects as found on found.rule_id = rules.rule_id
    left join reports.unevaluated_rules as missing on missing.rule_id = rules.rule_id
),

control_results as (
    select
        rule_controls.framework, rule_controls.control,
        list({'observation-uuid': name_uuid(identified.build_key || 'rule:' || rule_controls.rule_id)} order by rule_controls.rule_id) as observations,
        count(*) filter (where results.outcome in ('unknown', 'off', 'partly')) as without_result,
        count(*) filter (where results.outcome = 'passed') as passed,
        sum(results.accepted) as accepted
    from rule_controls
    join reports.rule_results as results on results.rule_id = rule_controls.rule_id
    cross join identified
    group by rule_controls.framework, rule_controls.control
),

-- OSCAL knows satisfied and not-satisfied. What was not evaluated is not satisfied, for another reason than a failure:
-- that is how NIST SP 800-53A treats what an assessor could not determine.
verdicts as (
    select
        controls.*, results.observations,
        case
            when controls.open_findings > 0 then 'fail'
            when identified.completeness <> 'FULL' or results.without_result > 0 or results.accepted > 0 then 'other'
            when results.passed > 0 then 'pass'
            else 'other'
        end as reason,
        case
            when controls.open_findings > 0 then counted(controls.open_findings, 'open finding') || '.'
            when identified.completeness <> 'FULL' then 'Not determined: the extract is not proven complete.'
            when results.without_result > 0 then
                'Not determined: ' || grouped(results.without_result) || ' of '
                || counted(controls.rules, 'rule') || ' could not be evaluated, or not for the whole population.'
            when results.accepted > 0 then 'No open finding, and ' || counted(results.accepted, 'accepted risk') || '.'
            when results.passed > 0 then 'No finding.'
            else 'Not determined: there was nothing to examine.'
        end as explanation
    from named_controls as controls
    join control_results as results on results.framework = controls.framework and results.control = controls.control
    cross join identified
),

findings as (
    select
        list({
            'uuid': name_uuid(identified.build_key || 'control:' || verdicts.framework || ':' || verdicts.control),
            'title': verdicts.framework_name || ' ' || verdicts.control,
            'description': 'What ' || counted(verdicts.rules, 'rule') || ' of this access review found. '
                || 'A control asks for more than these rules examine.',
            'target': {
                'type': 'objective-id',
                'target-id': verdicts.control_id || '_obj',
                'status': {
                    'state': case when verdicts.reason = 'pass' then 'satisfied' else 'not-satisfied' end,
                    'reason': verdicts.reason,
                    'remarks': verdicts.explanation
                }
            },
            'related-observations': verdicts.observations
        } order by verdicts.framework, verdicts.control) as items
    from verdicts
    cross join identified
),

framework_controls as (
    select framework_name, list({'control-id': control_id} order by control_id) as items
    from named_controls
    group by framework_name
),

selections as (
    select list({'description': framework_name, 'include-controls': items} order by framework_name) as items
    from framework_controls
)

select to_json({
    'assessment-results': {
        'uuid': name_uuid(identified.build_key || 'document'),
        'metadata': {
            'title': 'Access review of ' || identified.organization,
            'last-modified': identified.end_text,
            'version': identified.snapshot_id,
            'oscal-version': '1.2.1',
            'props': [
                {'name': 'build', 'ns': 'urn:sisense-access-review', 'value': identified.build_id},
                {'name': 'completeness', 'ns': 'urn:sisense-access-review', 'value': identified.completeness}
            ],
            'parties': [{'uuid': identified.organization_uuid, 'type': 'organization', 'name': identified.organization}]
        },
        'import-ap': {
            'href': '#' || identified.plan_uuid,
            'remarks': 'There is no assessment plan in OSCAL. The plan of this review is its rules, which lie beside this file.'
        },
        'results': [{
            'uuid': name_uuid(identified.build_key || 'result'),
            'title': 'Snapshot ' || identified.snapshot_id,
            'description': 'Every account, role and group of the sources, evaluated by the rules as of '
                || strftime(identified.as_of, '%-d %b %Y %H:%M') || ' UTC.',
            'start': identified.start_text,
            'end': identified.end_text,
            'local-definitions': {
                'components': components.items, 'inventory-items': inventory.items, 'users': users.items
            },
            'reviewed-controls': {'control-selections': selections.items},
            'observations': observations.items,
            'findings': findings.items,
            'remarks': case
                when identified.completeness <> 'FULL'
                    then 'NOT COMPLETE: ' || coalesce(identified.reason, 'the extract is not proven complete')
            end
        }],
        'back-matter': {
            'resources': [{
                'uuid': identified.plan_uuid,
                'title': 'Rules of this access review',
                'description': 'Each rule with its parameters in force, its controls and the hash of its SQL.',
                'rlinks': [{'href': '../rules.csv', 'media-type': 'text/csv'}]
            }]
        }
    }
}) as document
from identified
cross join components
cross join inventory
cross join users
cross join selections
cross join observations
cross join findings
