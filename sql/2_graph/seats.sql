/*
summary = "One class of licence seats of one source, as its server counts them."
reads   = ["staging.seats"]
grain   = ["source", "seat_class"]

[columns]
source       = "varchar: the source's name in the configuration"
seat_class   = "varchar: admin, designer or viewer"
seats_used   = "bigint: seats in use; null if the server does not say"
seats_bought = "bigint: seats of the licence; null if the server does not say"
expires_at   = "timestamp: end of the licence, UTC"
is_trial     = "boolean: the licence is a trial"
*/
select source, seat_class, seats_used, seats_bought, expires_at, is_trial
from staging.seats
