"""The pages for the compliance team, and the `kybdesk` command. See also the map in `receiver/__init__.py`.

cli         the command; the only place that puts receiver, worker and dashboard together
supervisor  starts the roles as processes, restarts one that dies, ends them in order
roles       one role in this process
sending     signs and sends one event, as Svix does
demo        an invented VOVE, invented businesses, handlers of which some fail

app         the internal ASGI app: what every page has in common
auth        who is looking and what they may do: users, sessions, sign-in, guards
pages       one file for each noun of the menu
queries     every SELECT of the pages, keyset-paged, to frozen rows
concerns    what needs a look, for the overview; `pictures` are its bars
needs       what a person may have to see to in a case; `case_filters` stand in the list's address
ageing      how much of its status's limit a case has left
timeline    one case's facts, merged and sorted; `rounds` tells where it began again, `way` draws one of them
strip       is the account enabled, was the customer told, and why not; what to do next
exports     any list as a file, streamed in short reads; `taking`: only where a person takes it
case_file   all of a case for an auditor, with a digest that tells whether it is unchanged
tally       how a handler's tries went, by day; `changes` says what a try changed in the directory
charts      the shapes of bars and lines; `periods` are the last weeks and months
render      template to answer, page or part; `layout` is what stands around every page
asking      VOVE is asked about a case while somebody waits for the page
live        tells open pages that something changed
words       the code's words as people read them; `causes` says why a delivery was not taken
diagnosis   which usual mistake a refused delivery shows, and does it verify with today's secrets?
resending   a delivery as commands that send its bytes to a test endpoint
sender      what VOVE still sends again, and until when
worries     what on the health page needs somebody; `week` is the picture of outages
spans       a time from and a time to, in forms and addresses; `left_out`: filters that can't be
glossary    every word of the pages with its meaning; `places` is where one can go from every page
people      roles, and whether somebody may sign in, in words
kinds       what people do, in words; `surroundings`: what the server was told; `setting_forms`: what is typed
deeds       what a task does, in words of the business; `results` says what became of many at once
known_failures  failures of our own handlers of which the pages know more than their words say
tracebacks  the company's own code first
zones       in which zone pages tell their times
forms       what was typed, whatever was sent in its place
filters     times, sizes and names in templates
errors      every error as a page or a line on it; `frame` finds what stands around it
headers     what every answer carries
paths       addresses compared as they came; `body`, a delivery's bytes to look at; `assets`, static files
aliases     the types that pages share
"""

import receiver  # noqa: F401  # the swap of sqlite3 comes before any other import
