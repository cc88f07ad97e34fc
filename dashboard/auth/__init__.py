"""Who is looking, and what they may do. A request passes, in this order:

origins    is this our address, and does the request come from our own pages?
guards     deny by default: a session, and for some routes a permission
sessions   a random token in a cookie, its hash in a table
signing_in an e-mail address and a password to a session
passwords  argon2id
throttle   how often one may try
users      who there is, with which role
people     what administrators do about them
links      by which somebody chooses a password, once
choosing   people choose their passwords themselves
tokens     random texts, of which tables keep the hash
"""
