"""The pages of the admin that are about tokens, and who looks at them."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tools_app.models import Token

ADD = "/admin/tools_app/token/add/"
LIST = "/admin/tools_app/token/"
TEXT = re.compile(r"mcp_[0-9a-z]{12}_[0-9A-Za-z]{43}")


def staff(client: Client, *codenames: str) -> User:
    user = User.objects.create_user("sam", is_staff=True)
    ours = Permission.objects.filter(content_type__app_label="tools_app")
    user.user_permissions.set(ours.filter(codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    client.force_login(user)
    return user


def form(owner: User, /, **given: Any) -> dict[str, Any]:
    expires_at = timezone.localtime() + timedelta(days=30)
    return {
        "name": "laptop",
        "owner": owner.pk,
        "scopes": "tools:call\nresources:read",
        "expires_at_0": expires_at.strftime("%Y-%m-%d"),
        "expires_at_1": expires_at.strftime("%H:%M:%S"),
        "notes": "",
        "allowed_tools": "",
        "rate": "",
        "max_calls": "",
        "networks": "",
        **given,
    }


def change_url(token: Token) -> str:
    return reverse("admin:tools_app_token_change", args=[token.pk])


def revoke_url(token: Token) -> str:
    return reverse("admin:tools_app_token_revoke", args=[token.pk])


def rotate_url(token: Token) -> str:
    return reverse("admin:tools_app_token_rotate", args=[token.pk])


def history_url(token: Token) -> str:
    return reverse("admin:tools_app_token_history", args=[token.pk])


def words(response: Any) -> str:
    return html.unescape(response.content.decode())
