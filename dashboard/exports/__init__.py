"""Any list as a file: as CSV, which a spreadsheet opens, or as JSON, with the list's own filters.

files      rows to the bytes of a file, page by page
streaming  pages read one by one, each in a short transaction: ingest never waits for a reader
progress   how far each has come, for the page that follows it
lists      which lists there are, with the columns of each
"""
