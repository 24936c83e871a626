"""Reads directories, Okta and Entra ID: people, groups and who is assigned to the application. Changes nothing.

::

    extract.py     the steps that both share: lists, members of groups, outcome
        okta.py  entra.py      addresses, columns and permissions of one product
        linked.py              a list whose pages link to the next one, read to its end
        endpoint.py            one page: its records, reduced to the columns that are needed, and its next link
        tokens.py              tokens of OAuth clients, renewed when they expire
    preflight.py   what a credential may read, for ``access-review check``
"""
