"""The site as it is served, people and tokens in it, and the admin's front door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, expect

from tests.serving import Served
from tests.siteproject import SiteProject

PEOPLE = """
from django.contrib.auth.models import Permission, User
ada = User.objects.create_user("ada")
User.objects.create_superuser("root", password="secret")
sam = User.objects.create_user("sam", password="secret", is_staff=True)
ours = Permission.objects.filter(content_type__app_label="tools_app")
sam.user_permissions.set(ours.filter(codename__in=["run_as", "view_token"]))
grace = User.objects.create_user("grace")
grace.user_permissions.set(Permission.objects.filter(codename="view_feedback"))
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
    project = SiteProject(here, PEOPLE)
    token, revoked = (project.create_token(name, "ada") for name in ("laptop", "lost"))
    project.manage("mcp", "tokens", "revoke", revoked.split("_")[1])
    with project.served() as server:
        yield Site(server, token, revoked)


async def log_in(page: Page, site: Site, name: str = "sam") -> None:
    await page.goto(site.url("/admin/login/?next=/admin/"))
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill("secret")
    await page.get_by_role("button", name="Log in").click()
    await expect(page).to_have_url(site.url("/admin/"))
