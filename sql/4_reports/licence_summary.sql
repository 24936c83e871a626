/*
summary = "One class of seats of one source: our own count beside the server's, seats bought, and seats that findings free."
reads   = ["reports.licences", "graph.seats", "policy.licence_prices"]
grain   = ["source", "seat_class"]

[columns]
source            = "varchar: the source's name in the configuration"
seat_class        = "varchar: admin, designer, viewer or unknown"
position          = "integer: place of the class, from 1"
seats_counted     = "bigint: active accounts and pending invitations of the class, as this program counts them"
pending           = "bigint: pending invitations among them"
seats_used        = "bigint: seats in use, as the server counts them; null if it does not say"
seats_bought      = "bigint: seats of the licence; null if the server does not say"
reclaimable       = "bigint: accounts that an open finding recommends to remove"
price             = "decimal(12,2): price of one seat in the configuration; null if there is none"
currency          = "varchar: its currency"
reclaimable_price = "decimal(18,2): price of the reclaimable seats, an estimate"
expires_at        = "timestamp: end of the licence, UTC"
is_trial          = "boolean: the licence is a trial"
*/
with

classes as (
    select * from (values (1, 'admin'), (2, 'designer'), (3, 'viewer'), (4, 'unknown')) as class(position, seat_class)
),

account_counts as (
    select
        source, seat_class, count(*) as seats_counted, count(*) filter (where status = 'pending') as pending,
        count(*) filter (where reclaimable) as reclaimable
    from reports.licences
    group by source, seat_class
),

source_classes as (
    select source, seat_class from account_counts
    union
    select source, seat_class from graph.seats
)

select
    each.source,
    each.seat_class,
    cast(coalesce(classes.position, 5) as integer) as position,
    coalesce(counted.seats_counted, 0) as seats_counted,
    coalesce(counted.pending, 0) as pending,
    seats.seats_used,
    seats.seats_bought,
    coalesce(counted.reclaimable, 0) as reclaimable,
    prices.price,
    prices.currency,
    cast(coalesce(counted.reclaimable, 0) * prices.price as decimal(18, 2)) as reclaimable_price,
    seats.expires_at,
    seats.is_trial
from source_classes as each
left join classes on classes.seat_class = each.seat_class
left join account_counts as counted on counted.source = each.source and counted.seat_class = each.seat_class
left join graph.seats as seats on seats.source = each.source and seats.seat_class = each.seat_class
left join policy.licence_prices as prices on prices.seat_class = each.seat_class

/* example
name = "our count stands beside the server's; a class without a price has no estimate"
given."reports.licences" = [
  { source = "s", account_id = "1", seat_class = "admin", status = "active", reclaimable = true },
  { source = "s", account_id = "2", seat_class = "admin", status = "pending", reclaimable = true },
  { source = "s", account_id = "3", seat_class = "unknown", status = "active", reclaimable = false },
]
given."graph.seats" = [
  { source = "s", seat_class = "admin", seats_used = 3, seats_bought = 10 }, { source = "s", seat_class = "viewer", seats_used = 0, seats_bought = 5 },
]
given."policy.licence_prices" = [ { seat_class = "admin", price = 120, currency = "EUR" } ]
expect = [
  { seat_class = "admin", position = 1, seats_counted = 2, pending = 1, seats_used = 3, seats_bought = 10, reclaimable = 2, price = 120, reclaimable_price = 240, currency = "EUR" },
  { seat_class = "viewer", position = 3, seats_counted = 0, seats_used = 0, seats_bought = 5, reclaimable = 0, reclaimable_price = "<null>" },
  { seat_class = "unknown", position = 4, seats_counted = 1, seats_used = "<null>", reclaimable = 0 },
]
*/
