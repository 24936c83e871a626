-- The roles to which access can be reduced, by source, the least powerful first
select source, name, rank from roles where is_shown order by source, rank is null, rank, name
