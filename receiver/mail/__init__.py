"""E-mails to customers: what they say, in which language, and how they get to the mail server.

languages   the first language wished for in which all of a mail can be said
templates   the company's templates, and ours behind them: subject, text and HTML
previewing  how a text reads in its mail, before anybody gets it
composing   a letter as an e-mail, with its headers
server      the company's mail server, as the settings have it
sending     the way to the mail server, and whether the mail was sent
refusals    what went wrong on that way, in words
causes      what the failures to tell a customer are told apart by
"""
