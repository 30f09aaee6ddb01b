"""Measures what a request costs this server, beside servers that do nothing."""
