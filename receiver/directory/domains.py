"""Domains of mail addresses. Pure."""

import idna


def in_ascii(domain: str) -> str | None:
    """As mail servers take it; None where there can be no such domain, as `example..com`.

    By IDNA 2008: Python's own codec takes straße.example for strasse.example, which is somebody else's.
    """
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return None
