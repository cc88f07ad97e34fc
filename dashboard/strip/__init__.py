"""What is true of a case's two effects at present: is the account enabled, was the customer told? And if
not, why not.

owed        what the handlers owe for it, how far that has come, and why no further
statements  the two statements, as values
todo        what a person should do next, as one
reading     what they go by, from the database

The directory says whether the account is enabled, the messages what the customer was told. Where neither
says anything, the handlers' runs do.
"""

from dashboard.strip.owed import Duty, Owed
from dashboard.strip.reading import Seen, read_strip
from dashboard.strip.statements import Known, Statement, Strip, strip_of
from dashboard.strip.todo import Standing, Todo, what_to_do

__all__ = [
    "Duty",
    "Known",
    "Owed",
    "Seen",
    "Standing",
    "Statement",
    "Strip",
    "Todo",
    "read_strip",
    "strip_of",
    "what_to_do",
]
