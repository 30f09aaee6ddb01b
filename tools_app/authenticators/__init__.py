"""Authenticators for tokens that come from elsewhere.

A project subclasses one, says in class attributes what it accepts, and names the
subclass in ``MCP["AUTHENTICATORS"]``.
"""
