"""Makes the database, its users and their tokens; writes the tokens as JSON."""

from __future__ import annotations

import json
import sys
from datetime import timedelta

import django
from django.core.management import call_command
from django.utils import timezone


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User

    from tools_app.models import Token

    users = {name: User.objects.create_user(name) for name in ("alice", "bob")}

    def issue(name: str, owner: str, *scopes: str) -> tuple[Token, str]:
        return Token.objects.issue(name=name, owner=users[owner], scopes=list(scopes))

    tokens = {
        "alice": issue("alice", "alice", "*"),
        "bob": issue("bob", "bob", "*"),
        "narrow": issue("narrow", "alice", "resources:read"),
        "revoked": issue("revoked", "alice", "*"),
        "expired": issue("expired", "alice", "*"),
    }
    tokens["revoked"][0].revoke()
    expired = tokens["expired"][0]
    expired.expires_at = timezone.now() - timedelta(seconds=1)
    expired.save()
    json.dump({name: text for name, (_, text) in tokens.items()}, sys.stdout)


if __name__ == "__main__":
    main()
