"""An identity provider as the roster: the people that a source of kind ``scim`` told of in one snapshot."""

from __future__ import annotations

from datetime import datetime

from pipeline.errors import RosterError
from pipeline.warehouse.database import Connection

__all__ = ["load_people"]

#: RFC 7643, section 4.3, holds department and manager.
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def load_people(connection: Connection, source: str, snapshot_id: str, finished_at: datetime) -> tuple[int, str]:
    """Replace ``policy.roster`` by the provider's users; return how many and the hash of what is in it.

    Somebody who is not active there has left. SCIM has no date for that, so the record's last change stands for the
    last day: whoever logs in after it has certainly done so afterwards. A user without any address keeps the user
    name in its place, so that nobody is lost.

    Raises:
        RosterError: the snapshot has no user of that source.
    """
    connection.execute("delete from policy.roster")
    connection.execute(
        """
        insert into policy.roster
        with records as (
            select
                payload ->> '$.id' as person_id, payload, page, ordinal,
                payload -> ('$."' || $enterprise || '"') as enterprise,
                nullif(trim(payload ->> '$.userName'), '') as user_name,
                case json_type(payload, '$.emails')
                    when 'ARRAY' then cast(json_extract(payload, '$.emails') as json[])
                    when 'OBJECT' then [json_extract(payload, '$.emails')]
                end as emails,
                cast(
                    try_cast(payload ->> '$.meta.lastModified' as timestamptz) at time zone 'UTC' as date
                ) as changed_on
            from raw.scim_users
            where snapshot_id = $snapshot_id and source = $source and is_accepted
              and coalesce(payload ->> '$.id', '') <> ''
            qualify row_number() over (partition by payload ->> '$.id' order by page, ordinal) = 1
        ),
        addressed as (
            select
                *,
                list_filter(list_transform(emails, lambda x: trim(x ->> '$.value')), lambda x: x <> '') as addresses,
                nullif(
                    trim(list_filter(emails, lambda x: lower(trim(x ->> '$.primary')) = 'true')[1] ->> '$.value'), ''
                ) as main
            from records
        ),
        people as (
            select
                *,
                coalesce(main, addresses[1], user_name, person_id) as email,
                lower(trim(payload ->> '$.active')) as is_active
            from addressed
        )
        select
            people.person_id, people.email,
            list_sort(list_distinct(list_filter(
                list_append(coalesce(people.addresses, []), people.user_name),
                lambda x: contains(x, '@') and lower(x) <> lower(people.email)
            ))),
            coalesce(
                nullif(trim(people.payload ->> '$.displayName'), ''),
                nullif(trim(people.payload ->> '$.name.formatted'), ''),
                nullif(
                    trim(
                        concat_ws(' ', people.payload ->> '$.name.givenName', people.payload ->> '$.name.familyName')
                    ),
                    ''
                )
            ),
            manager.email,
            nullif(trim(people.enterprise ->> '$.department'), ''),
            nullif(trim(people.payload ->> '$.title'), ''),
            case people.is_active when 'true' then 'active' when 'false' then 'ended' end,
            null,
            case when people.is_active = 'false' and people.changed_on between date '2000-01-01' and $last_day
                then people.changed_on end,
            case when lower(people.payload ->> '$.userType') in ('employee', 'contractor', 'service')
                then lower(people.payload ->> '$.userType') end,
            row_number() over (order by people.page, people.ordinal)
        from people
        left join people as manager on manager.person_id = people.enterprise ->> '$.manager.value'
        order by people.page, people.ordinal
        """,
        {
            "source": source,
            "snapshot_id": snapshot_id,
            "enterprise": _ENTERPRISE,
            "last_day": finished_at.date(),
        },
    )
    count, sha256 = connection.execute(
        """
        select count(*), sha256(coalesce(string_agg(cast(to_json(roster) as varchar), chr(10) order by "row"), ''))
        from policy.roster as roster
        """
    ).fetchall()[0]
    if count == 0:
        raise RosterError(
            f"the snapshot has no users of '{source}', which is to be the roster",
            where=snapshot_id,
            hint="extract all sources, or remove [roster] source",
        )
    return int(count), str(sha256)
