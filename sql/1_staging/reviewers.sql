/*
summary = "One address that decisions came from, with the key by which it is compared."
reads   = ["review.decisions"]
grain   = ["reviewer_email"]

[columns]
reviewer_email = "varchar: the address, as the decisions have it"
reviewer_key   = "varchar: the address as it is compared"
*/
select distinct reviewer_email, match_key(reviewer_email) as reviewer_key from review.decisions
