-- Why does the query of a person's access return no rows?
-- $person: the person's id, or an e-mail address of the person or of an account
select
    case
        when exists (select 1 from graph.people where person_id = $person or email_key = match_key($person))
            or exists (select 1 from graph.accounts where email_key = match_key($person) or person_id = $person)
            then 'the person or account is known, and holds no role and no group'
        else 'no person has this id or address, and no account this address: ' || $person
    end as reason
