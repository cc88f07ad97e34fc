"""A certificate for the tests' servers, made anew for each session: no key lies in the repository."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

_directory = TemporaryDirectory(prefix="kybdesk-certificate-")


@cache
def certificate() -> Path:
    """A file with key and certificate of localhost, and its authority: it serves as SSL_CERT_FILE as well."""
    authority = trustme.CA()
    path = Path(_directory.name) / "localhost.pem"
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    authority.cert_pem.write_to_path(path, append=True)
    return path
