"""Agreement with VOVE: webhooks can be lost, and a lost last one looks exactly like a case that is stuck.

answers      what VOVE's API said: bytes to cases, whatever shape its list has
client       one question over HTTP: tolerant of answers, polite with questions
troubles     why VOVE could not be asked, in words
listing      all cases page by page, or the one with a reference
views        what VOVE said, kept beside what we know, and where the two differ
reconciling  all of VOVE's cases, kept page by page, so that an interrupted pass goes on
adopting     a person takes over VOVE's word, as an event of its own kind

Nothing is asked inside a transaction: receiving never waits for VOVE.
"""
