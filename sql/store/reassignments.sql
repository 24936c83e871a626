-- All reassignments, in the order in which they were made
select * from reassignments order by sequence
