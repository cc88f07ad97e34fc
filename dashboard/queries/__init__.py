"""Every SELECT of the pages, one file a noun. None counts a whole table; lists go by keyset on an index.

paging      one page of a list, and the ways on from it
overview    what can be wrong, and how much there is of everything
cases       one case; `case_list` is a page of many, by `case_selection`; `next_case` waits longest
search      cases by text anywhere; `people` can see to one, `limits` say until when
businesses  what the directory knows of one, and who is in it without a case
events      what VOVE said about one case, in the order of its places; `acts` are what people did about it
telling     what a case's reason means, and what may be said of it
rejections  why cases were rejected, how often; `reasons` are what the company says of that
deliveries  what came in at the webhook, also `by_time`
health      who is there, what waits, when nobody was there; `storage` is the database's own
runs        what the company's handlers owe; `failures` groups it by what it failed with
batches     many of them taken on one word
attempts    their tries, with all that these left; `messages` went out to businesses
present     what is owed for the status that a case has at present
activities  who did what; `case_files` are all of one case, `settings` what else people set
vove        where we differ from VOVE
handlers    what is set up to be done, and how that goes; `pauses` are people's
"""
