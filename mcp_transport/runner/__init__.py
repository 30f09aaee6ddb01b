"""``manage.py mcp serve``: daphne, with what it lacks.

daphne parses HTTP and WebSocket and calls the application. What is added here is
what a server needs that faces clients in earnest: it drains before it ends, it
writes no faster than its peers read, it takes no more than it was told to, and it
waits for nobody for ever.

It runs by daphne's own Server, and by subclasses of the protocols that daphne is
made of. Nothing here is imported before the command runs: daphne is an extra.
"""
