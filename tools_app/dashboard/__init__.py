"""The dashboard in the admin: what was called, and who is connected."""
