"""The business directory: what people know of a business beside VOVE's verdict, by its `refId`.

fields     what is kept of a business, and which values it may have
rows       the directory in SQL: found, changed, edited by a person
csv_file   a file's bytes to rows, and to what is wrong with it, by `csv_text`: its columns and cells
importing  rows of a file into the directory, all of them or none

It is filled by people (a CSV file, a case's page), from VOVE, and by handlers, whose changes are written in
the transaction that records their attempt.
"""
