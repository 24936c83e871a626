"""Plants the conditions that the rules must find, their near misses, and the irregularities of real data.

Every method plants one condition and records each finding that follows from it, of other rules too: the account of a
person who left long ago may also be stale. Nothing else may be found at the default parameters.
Ages keep three days from every threshold, so a run within a day of the anchor gives the same numbers.

Readings of the rules that the key rests on, where their words leave room:

- Names and addresses are compared with the roster case-folded. An alias is the person's own address, a ``+tag`` is
  not, and an account without an address has none that could differ.
- A built-in role that was edited is one finding, however many accounts hold it.
- One privileged account beside one ordinary one of the same person is good practice; two privileged ones are not.
- The rules about single memberships examine groups that exist. An id that no group has is a dangling reference alone.
- The rules about peers are stated for accounts matched to a person, in organisations of 500 accounts and more.
  Accounts without a person are compared with all accounts, and the answer key leaves them out.
- Empty groups and the number of administrators are recorded when the organisation is complete; see ``population``.
"""

from __future__ import annotations

from pipeline.simulator.entitlements import Entitlements
from pipeline.simulator.identities import Identities
from pipeline.simulator.lifecycle import Lifecycle
from pipeline.simulator.staffing import Staffing

__all__ = ["ROOM_FOR_ONE_EACH", "plant"]


#: The smallest number of accounts with room for managers and one condition of each of the first rules.
ROOM_FOR_ONE_EACH = 100
#: Conditions of a smaller organisation, in this order while there is room, and the accounts that each needs.
_ROOM = (
    ("orphans", 4),
    ("contractors", 3),
    ("dangling_groups", 2),
    ("invitations", 2),
    ("never_seen", 7),
    ("leavers", 10),
    ("stale", 7),
    ("external", 5),
    ("switched_off", 6),
    ("unclassified", 7),
    ("odd_times", 8),
)


def plant(org: Staffing) -> None:
    """Plant every condition that fits into an organisation of this size."""
    everything = _Everything(org)
    if org.size >= ROOM_FOR_ONE_EACH:
        everything.all()
    else:
        everything.what_fits()


class _Everything(Lifecycle, Entitlements, Identities):
    """All conditions, in a fixed order, so that a seed always gives the same organisation."""

    def what_fits(self) -> None:
        """Plant some of the conditions, as far as the size of the organisation allows."""
        self.registered_accounts()
        self.administrators()
        for name, accounts in _ROOM:
            if len(self.org.users) + accounts <= self.org.size:
                getattr(self, name)()

    def all(self) -> None:
        self.registered_accounts()
        self.administrators()
        self.stale()
        self.never_seen()
        self.odd_times()
        self.invitations()
        self.leavers()
        self.contractors()
        self.orphans()
        self.switched_off()
        self.unclassified()
        self.dangling_groups()
        self.external()
        if self.org.is_full:
            self.odd_forms()
            self.two_accounts()
            self.separation_of_duties()
            self.power_through_groups()
            self.local_accounts()
            self.disagreements()
            self.empty_groups()
            self.too_many_groups()
            self.unlike_their_peers()
            self.shared_mailboxes()
            self.imperfect_identities()
