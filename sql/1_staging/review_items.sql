/*
summary = "One item of a review, with the keys by which its account is compared with a reviewer."
reads   = ["review.items"]
grain   = ["campaign", "item_id"]

[columns]
campaign      = "varchar: the review campaign's name"
item_id       = "varchar: the item"
user_name_key = "varchar: the account's user name as it is compared"
email_key     = "varchar: the account's e-mail address as it is compared"
*/
select campaign, item_id, match_key(user_name) as user_name_key, match_key(email) as email_key from review.items
