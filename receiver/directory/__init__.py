"""The business directory: what people know of a business beside VOVE's verdict, by its `refId`.

fields  what is kept of a business, and which values it may have
rows    the directory in SQL: found, changed

It is filled by people (a CSV file, a case's page), from VOVE, and by handlers, whose changes are written in
the transaction that records their attempt.
"""
