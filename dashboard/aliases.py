"""Litestar's types, spelt out once."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

AnyRequest = Request[Any, Any, Any]
AnyConnection = ASGIConnection[Any, Any, Any, Any]

# What a page's handler asks for, as its parameters `reader` and `writer`: see app.py.
Reader = NamedDependency[AsyncConnection]
Writer = NamedDependency[AsyncConnection]
