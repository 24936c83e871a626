/*
summary = "One item of a review campaign, with normalised keys for comparing its account with a reviewer."
reads   = ["review.items"]
grain   = ["campaign", "item_id"]

[columns]
campaign      = "varchar: the name of the review campaign"
item_id       = "varchar: id of the item"
user_name_key = "varchar: the account's user name, normalised for comparison"
email_key     = "varchar: the account's e-mail address, normalised for comparison"
*/
select campaign, item_id, match_key(user_name) as user_name_key, match_key(email) as email_key from review.items
