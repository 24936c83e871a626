/*
summary = "One reviewer who has decided, with a normalised key for their address."
reads   = ["review.decisions"]
grain   = ["reviewer_email"]

[columns]
reviewer_email = "varchar: the e-mail address, as the decisions give it"
reviewer_key   = "varchar: the address, normalised for comparison"
*/
select distinct reviewer_email, match_key(reviewer_email) as reviewer_key from review.decisions
