"""Runs handler calls, each in a process of its own with a hard deadline, and says in words how each ended.

calls       what is asked for, and how it ended
executor    what the worker holds: starts calls, waits, enforces deadlines
running     a call under way, as the worker sees it
pipes       a pipe of which the first and last parts are kept
forkserver  starts the process that has imported the handlers, and talks with it
forking     that process: forks a child for each call, reaps it, ends what it leaves behind
sessions    how a child and all that it started are killed
child       one call: the handler, and what is told of it
reporting   what the handler returned or raised, to what is told
faults      what an exception is told apart by
bounds      what a child may take, in time and memory
ending      what was told, or the exit code, to an outcome in words

Not multiprocessing's forkserver: each of its children first imports the parent's main module anew (all of
`kybdesk`), there is one for the whole process, with the parent's secrets in its environment, it swallows what
a preload raises, and a start waits forever where it is stuck.
"""

from receiver.executor.calls import Call, Ended
from receiver.executor.executor import Executor

__all__ = ["Call", "Ended", "Executor"]
