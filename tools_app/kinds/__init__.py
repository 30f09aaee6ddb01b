"""The kinds of entries that are made in the admin, without code."""
