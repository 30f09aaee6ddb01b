"""The page of the dashboard: what it shows of the ledger, and to whom."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.sites import AdminSite
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import translation

from mcp_transport.engine.observing import Outcome
from tests import settings
from tests.tools_app.conftest import Issue
from tests.tools_app.ledger.calls import add_calls, call
from tests.tools_app.pages import staff, words
from tools_app.dashboard.admin import DashboardAdmin
from tools_app.dashboard.wording import duration
from tools_app.ledger.durations import bucket_of, middle_ms
from tools_app.models import Call, Dashboard, Token

PAGE = "/admin/tools_app/dashboard/"
LIVE = f"{PAGE}live/"
A_MINUTE = timedelta(minutes=1)
TOO_MANY: dict[str, Any] = {
    "outcome": Outcome.ERROR,
    "error_code": 429,
    "error": "Too many requests",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client: Client) -> User:
    return staff(client, "view_dashboard")


def made(count: int = 1, ago: timedelta = A_MINUTE, **given: Any) -> None:
    add_calls(call(ago, **given) for _ in range(count))


def page(client: Client, query: str = "") -> str:
    response = client.get(PAGE + query)
    assert response.status_code == 200
    return words(response)


def sums(text: str) -> list[str]:
    return re.findall(r"<dd>([^<]*)", text)


def section(text: str, name: str) -> str:
    """Return the part of the page under the heading with this id."""
    found = re.search(rf'aria-labelledby="{name}-title".*?</section>', text, re.DOTALL)
    assert found is not None
    return found[0]


# Who may see it.


@pytest.mark.parametrize("url", [PAGE, LIVE])
def test_it_is_for_those_who_have_the_permission(client: Client, url: str) -> None:
    assert client.get(url).status_code == 302
    staff(client, "view_token", "end_session")
    assert client.get(url).status_code == 403


@pytest.mark.parametrize("url", [PAGE, LIVE])
def test_nothing_is_posted_to_it(client: Client, viewer: User, url: str) -> None:
    assert client.post(url).status_code == 405


def test_the_index_of_the_admin_leads_there(client: Client, viewer: User) -> None:
    index = words(client.get("/admin/"))
    assert f'href="{PAGE}"' in index
    assert f"{PAGE}add/" not in index
    client.force_login(User.objects.create_user("other", is_staff=True))
    assert PAGE not in words(client.get("/admin/"))


def page_of_a_site_of_its_own(root: User, *registered: type[Model]) -> str:
    site = AdminSite(name="control")
    site.register(Dashboard, DashboardAdmin)
    site.register(registered)
    request = RequestFactory().get("/control/tools_app/dashboard/")
    request.user = root

    class URLs:
        urlpatterns = [path("control/", site.urls)]

    view = site.get_model_admin(Dashboard)
    assert isinstance(view, DashboardAdmin)
    with override_settings(ROOT_URLCONF=URLs):
        return words(view.page_view(request))


def test_an_admin_site_of_a_project_has_it_too(root: User) -> None:
    made(outcome=Outcome.TIMED_OUT)
    failed = Call.objects.get()
    text = page_of_a_site_of_its_own(root)
    assert "/control/tools_app/dashboard/live/" in text
    # There is no admin of calls to lead to.
    assert "tools_app/call/" not in text
    text = page_of_a_site_of_its_own(root, Call)
    assert f'href="/control/tools_app/call/{failed.pk}/change/"' in text


# What it shows.


def test_where_nothing_was_called_it_says_so(client: Client, viewer: User) -> None:
    text = page(client)
    assert "No calls in the last 24 hours." in text
    assert 'put <code>"tools_app.ledger.Ledger"</code> into' in text
    made(ago=timedelta(days=2))
    assert "No calls in the last 24 hours." in page(client)
    assert "No calls" not in page(client, "?period=week")


def test_it_asks_for_the_ledger_only_where_there_is_none(
    client: Client, viewer: User
) -> None:
    ledger = settings.MCP | {"OBSERVERS": ["tools_app.ledger.Ledger"]}
    with override_settings(MCP=ledger):
        text = page(client)
    assert "No calls in the last 24 hours." in text
    assert "not switched on" not in text


def test_the_calls_are_summed_up(client: Client, viewer: User) -> None:
    made(6)
    made(2, outcome=Outcome.TOOL_ERROR, error="no such page")
    made(2, **TOO_MANY)
    calls, errors, half, most, limited = sums(page(client))
    assert [calls.strip(), errors.strip(), limited.strip()] == ["10", "4", "2"]
    assert (half.strip(), most.strip()) == ("25 ms", "25 ms")


def test_charts_are_drawn_and_can_be_read_as_tables(
    client: Client, viewer: User
) -> None:
    made(3, timedelta(minutes=30))
    made(1, timedelta(minutes=30), outcome=Outcome.TOOL_ERROR, duration_ms=2000.0)
    chart = section(page(client, "?period=hour"), "calls")
    assert 'role="img"' in chart
    assert "Last 1 hour: 4 calls, of which 1 failed." in chart
    [good] = re.findall(r'<rect class="done"[^>]*>', chart)
    [bad] = re.findall(r'<rect class="error"[^>]*>', chart)
    assert 'height="75"' in good
    assert 'height="25"' in bad
    assert "<td>4</td><td>1</td>" in chart
    durations = section(page(client, "?period=hour"), "durations")
    assert len(re.findall(r'<path class="line p(?:50|95)" d="M', durations)) == 2
    slowest = duration(middle_ms(bucket_of(2000.0)))
    assert f"<td>25 ms</td><td>{slowest}</td>" in durations


def test_tools_are_ranked_by_calls_and_by_duration(
    client: Client, viewer: User
) -> None:
    made(5, name="often", duration_ms=1.0)
    made(2, name="slow", duration_ms=3000.0)
    text = page(client)
    by_calls, by_duration = (
        re.findall(r">(often|slow)</a>", section(text, name))
        for name in ("most-called", "slowest")
    )
    assert by_calls == ["often", "slow"]
    assert by_duration == ["slow", "often"]


def test_tokens_are_ranked_and_so_is_who_hit_a_limit(
    client: Client, viewer: User, issue: Issue
) -> None:
    eager, calm = issue(name="eager")[0], issue(name="calm")[0]
    made(3, token=calm)
    made(2, token=eager, **TOO_MANY)
    made(1, **TOO_MANY)
    text = page(client)
    tokens = section(text, "by-token")
    assert re.findall(r">(calm|eager)</a>|>(no token)", tokens) == [
        ("calm", ""),
        ("eager", ""),
        ("", "no token"),
    ]
    limits = section(text, "limits")
    assert re.findall(r"<td>(\d+)</td>", limits) == ["2", "1"]
    assert "calm" not in limits


def test_a_token_that_was_deleted_is_ranked(
    client: Client, viewer: User, issue: Issue
) -> None:
    token = issue(name="laptop")[0]
    made(3, token=token)
    query = f"?period=day&token={token.pk}"
    token.delete()
    assert f'<a href="{query}">deleted</a>' in section(page(client), "by-token")


def test_one_tool_and_one_token_can_be_looked_at(
    client: Client, viewer: User, issue: Issue
) -> None:
    token = issue(name="laptop")[0]
    made(3, name="count", token=token)
    made(2, name="count")
    made(1, name="other", token=token)
    text = page(client, "?period=hour")
    assert 'href="?period=hour&tool=count"' in text
    assert f'href="?period=hour&token={token.pk}"' in text
    text = page(client, "?period=hour&tool=count")
    assert sums(text)[0].strip() == "5"
    assert f'href="?period=hour&tool=count&token={token.pk}"' in text
    text = page(client, f"?period=hour&tool=count&token={token.pk}")
    assert sums(text)[0].strip() == "3"
    assert "<b>laptop</b>" in text
    assert 'href="?period=hour&tool=count"' in text
    # The periods keep what was chosen.
    assert f'href="?period=week&tool=count&token={token.pk}"' in text


@pytest.mark.parametrize(
    "query",
    [
        "?period=year",
        "?period=",
        "?token=x",
        "?token=-1",
        f"?token={10**30}",
        "?tool=",
        "?tool=%00",
        f"?tool={'x' * 5000}",
    ],
)
def test_what_is_wrong_in_the_query_is_left_out(
    client: Client, viewer: User, query: str
) -> None:
    made(4)
    assert sums(page(client, query))[0].strip() == "4"


def test_a_token_that_is_gone_is_said_to_be(client: Client, viewer: User) -> None:
    made(4)
    text = page(client, "?token=4711")
    assert "<b>deleted</b>" in text
    assert "Others may have been called." in text


def test_the_last_errors_are_listed(client: Client, root: User, issue: Issue) -> None:
    made(2)
    made(token=issue()[0], outcome=Outcome.TOOL_ERROR, error="no page 'lmap'")
    made(ago=A_MINUTE * 2, outcome=Outcome.TIMED_OUT)
    listed = section(page(client), "errors")
    assert listed.count("<tr>") == 3
    assert listed.index("no page 'lmap'") < listed.index("too late")


# How it shows it.


def test_names_are_text(client: Client, viewer: User) -> None:
    made(name="<script>x</script>&\"'")
    response = client.get(PAGE)
    assert b"<script>x" not in response.content
    assert b"%3Cscript%3Ex%3C%2Fscript%3E%26%22%27" in response.content


def test_the_policy_of_the_site_allows_all_of_it(client: Client, viewer: User) -> None:
    """Content-Security-Policy: default-src 'self'."""
    made(3)
    text = page(client)
    content = text[text.index('id="content-main"') :]
    assert not re.search(r"<[^>]+ style=", content)
    assert not re.search(r"<[^>]+ on\w+=", content)
    assert "<style" not in text
    assert re.findall(r'<script[^>]*src="(?!/?static/)', text) == []
    assert not re.search(r"<script(?![^>]* src=)[^>]*>", content)


def test_no_locale_changes_what_is_drawn(client: Client, viewer: User) -> None:
    made(1500, duration_ms=1.5)
    made(1, outcome=Outcome.ERROR)

    def drawn(response: Any) -> list[str]:
        text = re.sub(r"(id|aria-labelledby)=\S+", "", response.content.decode())
        return re.findall(r' (?:viewBox|d|x|y|width|height)="[^"]*"', text)

    english = drawn(client.get(PAGE))
    with (
        translation.override("de"),
        override_settings(LANGUAGE_CODE="de", USE_THOUSAND_SEPARATOR=True),
    ):
        german = client.get(PAGE)
    assert "1.501" in german.content.decode()
    assert drawn(german) == english


def test_the_number_of_queries_depends_on_nothing(
    client: Client, viewer: User, issue: Issue
) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client, query)
        return len(captured)

    def calls(tokens: int, names: int) -> None:
        for number in range(tokens):
            token: Token = issue(name=f"t{number}")[0]
            for name in range(names):
                made(2, name=f"tool{name}", token=token)
                made(1, name=f"tool{name}", token=token, **TOO_MANY)

    calls(1, 1)
    counted = [queries(f"?period={period}") for period in ("hour", "month")]
    calls(6, 7)
    assert [queries(f"?period={period}") for period in ("hour", "month")] == counted
    # Ours are totals, points, names, tokens and what these are called, errors of each
    # outcome; the rest is of the admin.
    assert counted[0] <= 8 + 4
