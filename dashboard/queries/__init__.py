"""Every SELECT of the pages, one file a noun. None counts a whole table; lists go by keyset on an index.

paging      one page of a list, and the ways on from it
cases       the list of cases, one case, the way it went
businesses  what the directory knows of one, and who is in it without a case
events      what VOVE said about one case, in the order of its places
deliveries  what came in at the webhook
runs        what the company's handlers owe
attempts    their tries, with all that these left; `messages` went out to businesses
present     what is owed for the status that a case has at present
handlers    what is set up to be done, and how that goes; `pauses` are people's
"""
