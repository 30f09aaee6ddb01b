"""What is served at /api/: tickets, the management of tokens, the catalogue."""
