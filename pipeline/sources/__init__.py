"""Reads the systems under review, and changes accounts in them; the only importer of httpx.

How an answer becomes a page in the spool::

    sisense/ scim/ directories/     a kind of source: its addresses, login and lists       (SourceReader, PagedList)
        extract.py     the steps that all kinds share: lists, outcome, failure
        paging.py      a list read to its proven end, by sweeps (sweep.py), and checked by completeness.py
        transport.py   Client: a request repeated until it is answered
            connection.py   sends it once         limiter.py    how many at a time
            retries.py      when to try again     page_log.py   what was answered
        records.py     what of an answer is kept, without secrets (redaction.py)

``webhook.py`` and ``identity_provider.py`` speak to other systems, over the same routes (``network.py``).

A new kind of source is a package beside ``sisense`` and ``scim``: a reader for :mod:`pipeline.sources.extract`, and
a :class:`~pipeline.sources.paging.PagedList` for each of its lists. More of Sisense, such as its dashboards, is a
module in ``sisense``, with more lists for the same reader.
"""
