"""Every SELECT of the pages, one file a noun. None counts a whole table; lists go by keyset on an index.

paging      one page of a list, and the ways on from it
cases       the list of cases, one case, the way it went
events      what VOVE said about one case, in the order of its places
deliveries  what came in at the webhook
runs        what the company's handlers owe, and their tries
"""
