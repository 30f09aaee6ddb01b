"""``manage.py firststart``: makes the site ready to serve, however often it runs."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from mcpsite.clients import curl
from mcpsite.environment import port
from mcpsite.vocabulary import write_vocabulary
from tools_app.models import Token
from tools_app.scopes import EVERYTHING

WELCOME = """\
{bar}
First start. These credentials are shown this once and kept nowhere:

  admin      {site}/admin/
  user       {username}
  password   {password}
  MCP token  {token}   (expires {expires:%Y-%m-%d})

Try it once the server is up:

{curl}

How to connect a client: {site}/
{bar}"""


class Command(BaseCommand):
    """Safe to run at each start: what is there already is left as it is."""

    help = "Migrate, seed, and on the first start make an admin user and a token."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        features = write_vocabulary()
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            self.stdout.write(f"Ready: migrated, {features} protocol features seeded.")
        else:
            self.welcome()

    @transaction.atomic
    def welcome(self) -> None:
        """Make the credentials and show them: both, or neither."""
        password = secrets.token_urlsafe(16)
        admin = get_user_model().objects.create_superuser(
            username="admin", email="", password=password
        )
        token, text = Token.objects.issue(
            name="first start", owner=admin, scopes=[EVERYTHING]
        )
        site = f"http://127.0.0.1:{port()}"
        self.stdout.write(
            WELCOME.format(
                bar="=" * 72,
                site=site,
                username=admin.get_username(),
                password=password,
                token=text,
                expires=token.expires_at,
                curl=curl(f"{site}/mcp", text),
            )
        )
