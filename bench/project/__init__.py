"""A small Django project that serves MCP, and nothing beside it."""
