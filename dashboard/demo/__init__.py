"""`kybdesk demo`: the whole product on a throwaway database, and around it what a company and VOVE have.

stage       puts everything up, and takes it down
businesses  how the verification of each invented business goes, and what goes wrong; companies: their names
entries     what the company's people have entered
handlers    a handler of the company's own
vove        sends the webhooks; vove_api answers who asks
services    the systems around it: accounts, mails, mailbox, each on serving's small HTTP server or aiosmtpd
welcome     what the terminal says
"""
