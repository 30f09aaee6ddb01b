"""The site as it is served, people and tokens in it, and the admin's front door."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, expect

from tests.serving import ROOT, Served, daphne

PEOPLE = """
from django.contrib.auth.models import Permission, User
ada = User.objects.create_user("ada")
User.objects.create_superuser("root", password="secret")
sam = User.objects.create_user("sam", password="secret", is_staff=True)
ours = Permission.objects.filter(content_type__app_label="tools_app")
sam.user_permissions.set(ours.filter(codename__in=["run_as", "view_token"]))
"""


@dataclass(frozen=True)
class Site:
    server: Served
    token: str
    revoked: str

    def url(self, path: str) -> str:
        return f"{self.server.origin}{path}"


@contextmanager
def served_site(here: Path) -> Iterator[Site]:
    """Serve it by stock daphne, with its database and its log in a directory."""
    environ = {
        "DJANGO_SETTINGS_MODULE": "mcpsite.settings",
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "MCPSITE_VAR_DIR": str(here),
    }

    def manage(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout.strip()

    def create_token(name: str) -> str:
        create = ("mcp", "tokens", "create", name, "--user=ada", "--scope=*")
        return manage(*create)

    manage("migrate", "-v0")
    manage("shell", "-v0", "-c", PEOPLE)
    token, revoked = create_token("laptop"), create_token("lost")
    manage("mcp", "tokens", "revoke", revoked.split("_")[1])
    log = here / "daphne.log"
    with daphne("mcpsite.asgi:application", log, environ=environ) as server:
        yield Site(server, token, revoked)
        assert "Traceback" not in server.said()


async def log_in(page: Page, site: Site, name: str = "sam") -> None:
    await page.goto(site.url("/admin/login/?next=/admin/"))
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill("secret")
    await page.get_by_role("button", name="Log in").click()
    await expect(page).to_have_url(site.url("/admin/"))
