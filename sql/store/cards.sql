-- The cards of one reviewer that match a filter, in order
-- $reviewer: the reviewer's e-mail address
-- $risk: risk of the card or of an item, or null
-- $department: department of the person, or null
-- $role: name of a role, or null
-- $group: name of a group, or null
-- $decision: a decision, 'pending', or null
-- $text: text to find, in the form of the searched column, or null
-- $offset: number of cards to skip
-- $limit: number of cards to return
select cards.*
from cards
where ($department is null or cards.department = $department)
    and ($text is null or instr(cards.searched, $text) > 0)
    and exists (
        select 1
        from items
        where items.card_id = cards.card_id and items.reviewer = $reviewer
            and ($risk is null or items.risk = $risk or cards.risk = $risk)
            and ($role is null or (items.entitlement_type = 'role' and items.name = $role))
            and ($group is null or (items.entitlement_type = 'group' and items.name = $group))
            and (
                $decision is null
                or $decision = coalesce((select decision from decisions where sequence = items.held), 'pending')
            )
    )
order by cards.position, cards.card_id
limit $limit offset $offset
