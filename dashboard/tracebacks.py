"""A traceback as people read it: the company's own code first, the rest on demand. Pure."""

import re
from itertools import pairwise

FILE = re.compile(r'  File "(?P<file>[^"\n]*)", line (?P<line>\d+), in (?P<function>[^\n]*)')
# Where code lies that is nobody's own: of Python, of its packages, of KYB Desk.
LIBRARIES = re.compile(
    r"(^<)|/(site|dist)-packages/|/lib(64)?/python3\.\d+/|/receiver/(executor|runs|directory)/"
)
FRAMES = 12  # own ones that are shown at once


def own_frames(traceback: str) -> str:
    """Its own frames, each with its line of code, innermost last; empty where there are none."""
    frames = [frame for frame in _frames(traceback) if _is_own(frame)]
    return "\n".join(frames[-FRAMES:])


def _frames(traceback: str) -> list[str]:
    """Each with what stands under it, up to the next."""
    starts = [found.start() for found in FILE.finditer(traceback)]
    return [_with_its_code(traceback[start:end]) for start, end in pairwise([*starts, len(traceback)])]


def _with_its_code(frame: str) -> str:
    """What stands deeper than the frame's own line; the error's words stand at the margin."""
    first, *under = frame.splitlines()
    code = []
    for line in under:
        if not line.startswith("    "):
            break
        code.append(line)
    return "\n".join([first, *code])


def _is_own(frame: str) -> bool:
    found = FILE.match(frame)
    return found is not None and not LIBRARIES.search(found["file"])
