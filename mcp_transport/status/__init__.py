"""How the server is, for who runs it: whether it lives, whether it can serve, and what
it has counted. ``path("", include("mcp_transport.status.urls"))`` serves it.
"""
