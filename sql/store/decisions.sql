-- All decisions, in the order in which they were made
select * from decisions order by sequence
