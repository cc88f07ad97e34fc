"""Why a service can't be reached, in words: the libraries' own stop at "All connection attempts failed"."""

import os
import socket
import ssl
from collections.abc import Iterator

import httpx


def in_words(error: BaseException) -> str:
    for cause in _causes(error):
        if said := _said(cause):
            return said
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
        return "what it answers is no HTTP"
    return "it closed the connection without an answer"


def in_detail(error: BaseException) -> str:
    return " <- ".join(f"{type(cause).__name__}: {cause}" for cause in _causes(error))


def _said(cause: BaseException) -> str | None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate can't be trusted ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return "no secure connection could be made"
    if isinstance(cause, socket.gaierror):
        return "no host of that name was found"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno).lower()
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, then what caused it, from the outermost to the innermost."""
    yield error
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _causes(inner)
    if cause := error.__cause__ or error.__context__:
        yield from _causes(cause)
