"""Where sessions and their streams are kept, as ``MCP["STORE"]`` says."""

from __future__ import annotations

from mcp_transport.engine.limits import Limits
from mcp_transport.engine.store import Store
from mcp_transport.stores.memory import MemoryStore

MEMORY = "memory"
SCHEMES = ("redis", "rediss", "unix")


def store_problem(where: str) -> str | None:
    """Return what is wrong with a value of the setting, to follow its name."""
    if where == MEMORY:
        return None
    wrong = (
        f'must be "{MEMORY}" or a URL such as redis://localhost:6379/0, '
        f"of one of the schemes {', '.join(SCHEMES)}"
    )
    if where.partition("://")[0] not in SCHEMES:
        return wrong
    try:
        import channels_redis  # noqa: F401
        from redis.connection import parse_url
    except ImportError:
        return 'needs Redis: pip install "django-mcp-transport[redis]"'
    try:
        parse_url(where)  # type: ignore[no-untyped-call]
    except ValueError:
        # Its words may hold a part of the password.
        return wrong
    return None


def server_problems(where: str) -> list[str]:
    """Return what is wrong with the server that a valid setting names, by asking it.

    Raises StoreUnavailable.
    """
    if where == MEMORY:
        return []
    from mcp_transport.stores.redis.preconditions import inspected

    return inspected(where)


def open_store(where: str, limits: Limits) -> Store:
    """Return the store that a valid setting names. Nothing is connected yet."""
    if where == MEMORY:
        return MemoryStore(limits)
    from mcp_transport.stores.redis import RedisStore

    return RedisStore(where, limits)
