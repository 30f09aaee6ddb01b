from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from tests.tools_app.conftest import Issue
from tests.tools_app.inspector.conftest import token_name
from tests.tools_app.pages import change_url, staff, words
from tools_app.inspector.offer import PAGE_SIZE
from tools_app.models import CatalogueEntry, Token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

PAGE = "/admin/tools_app/inspector/"
OFFER = f"{PAGE}offer/"


def offer(client: Client, term: str = "", page: int = 1) -> Any:
    asked: dict[str, str | int] = {"term": term, "page": page}
    return client.get(OFFER, asked).json()


def test_the_index_of_the_admin_leads_there(client: Client, sam: User) -> None:
    assert f'href="{PAGE}"' in words(client.get("/admin/"))
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Only a superuser may run as a superuser" in words(page)


def test_without_the_permission_there_is_no_inspector(client: Client) -> None:
    kim = User.objects.create_user("kim", is_staff=True)
    kim.user_permissions.set(Permission.objects.exclude(codename="run_as"))
    client.force_login(kim)
    assert "inspector" not in words(client.get("/admin/"))
    assert [client.get(url).status_code for url in (PAGE, OFFER)] == [403, 403]
    client.logout()
    login = client.get(PAGE)
    assert (login.status_code, login["Location"]) == (302, f"/admin/login/?next={PAGE}")


def test_there_are_no_pages_of_rows(client: Client, root: User, issue: Issue) -> None:
    token, _ = issue()
    for path in ("add/", f"{token.pk}/change/", f"{token.pk}/delete/"):
        assert client.get(f"{PAGE}{path}").status_code == 404


def test_tokens_and_users_are_offered(client: Client, sam: User, issue: Issue) -> None:
    token, _ = issue()
    assert offer(client) == {
        "results": [
            {
                "id": token_name(token),
                "text": f"Token {token} of ada",
                "disabled": False,
            },
            {"id": f"user:{token.owner.pk}", "text": "User ada", "disabled": False},
            {"id": f"user:{sam.pk}", "text": "User sam", "disabled": False},
        ],
        "pagination": {"more": False},
    }


def test_they_are_searched(client: Client, sam: User, issue: Issue) -> None:
    laptop, _ = issue(name="laptop")
    desk, _ = issue(name="Desk")
    of_sam, _ = issue(name="of sam", owner=sam)
    found = {term: offer(client, term)["results"] for term in ("desk", "SAM", "zzz")}
    named = {term: [one["id"] for one in results] for term, results in found.items()}
    assert named == {
        "desk": [token_name(desk)],
        "SAM": [token_name(of_sam), f"user:{sam.pk}"],
        "zzz": [],
    }
    for term in (laptop.public_id, laptop.identifier):
        assert [one["id"] for one in offer(client, term)["results"]] == [
            token_name(laptop)
        ]
    User.objects.filter(pk=sam.pk).update(email="sam@example.com")
    by_address = [one["id"] for one in offer(client, "@example")["results"]]
    assert by_address == [token_name(of_sam), f"user:{sam.pk}"]


def test_what_is_refused_is_shown_and_cannot_be_chosen(
    client: Client, sam: User, issue: Issue
) -> None:
    token, _ = issue()
    token.revoke()
    User.objects.create_user("gone", is_active=False)
    said = {one["text"] for one in offer(client)["results"] if one["disabled"]}
    assert said == {
        f"Token {token} of ada: This token is revoked: its bearer is refused.",
        "User gone: gone is not active, and is refused.",
    }


def test_pages_of_the_offer_have_each_once(
    client: Client, sam: User, issue: Issue, django_assert_max_num_queries: Any
) -> None:
    for number in range(PAGE_SIZE + 5):
        issue(name=f"token {number}")
        User.objects.create_user(f"user {number:02}")
    found, page, more = [], 1, True
    while more:
        with django_assert_max_num_queries(8):
            answer = offer(client, page=page)
        found += [one["id"] for one in answer["results"]]
        page, more = page + 1, answer["pagination"]["more"]
    count = Token.objects.count() + User.objects.count()
    assert len(found) == len(set(found)) == count
    assert page == 1 + -(-count // PAGE_SIZE)
    assert offer(client, page=99)["results"] == []
    assert client.get(OFFER, {"page": "x"}).status_code == 200


def test_whom_one_may_not_run_as_is_an_error_of_the_field(
    client: Client, sam: User, issue: Issue
) -> None:
    root = User.objects.create_superuser("root")
    token, _ = issue()
    token.revoke()
    for name, said in (
        (token_name(token), "This token is revoked"),
        (f"user:{root.pk}", "root is a superuser"),
        ("user:0", "There is no such token or user."),
        ("nobody", "name a token as"),
        ("", "Choose a token or a user."),
    ):
        page = client.get(PAGE, {"run_as": name})
        assert said in words(page)
        assert "data-endpoint" not in words(page)
        assert [*page.context["form"].errors] == ["run_as"]


def test_the_page_is_told_how_to_call(client: Client, sam: User, issue: Issue) -> None:
    token, _ = issue()
    entry = {"kind": "tools", "key": '"brew"'}
    told = words(client.get(PAGE, {"run_as": token_name(token), **entry}))
    assert f'data-run-as="{token_name(token)}"' in told
    assert f'data-inspector="{PAGE}mcp"' in told
    assert 'data-endpoint="http://testserver/mcp"' in told
    assert f"Token {token} of ada" in told
    assert 'data-kind="tools" data-key=""brew""' in told


def test_another_admin_site_asks_its_own(client: Client, sam: User) -> None:
    page = words(
        client.get("/office/tools_app/inspector/", {"run_as": f"user:{sam.pk}"})
    )
    assert 'data-ajax--url="/office/tools_app/inspector/offer/"' in page
    assert 'data-inspector="/office/tools_app/inspector/mcp"' in page


def test_the_page_of_a_token_leads_there(
    client: Client, root: User, issue: Issue
) -> None:
    token, _ = issue()
    link = f'href="{PAGE}?run_as={token_name(token)}"'
    assert link in words(client.get(change_url(token)))
    staff(client, "view_token")
    page = client.get(change_url(token))
    assert page.status_code == 200 and link not in words(page)


def test_an_entry_that_is_to_be_run_is_kept_while_a_caller_is_picked(
    client: Client, sam: User
) -> None:
    page = words(client.get(PAGE, {"kind": "prompts", "key": "letter"}))
    assert '<input type="hidden" name="kind" value="prompts">' in page
    assert '<input type="hidden" name="key" value="letter">' in page
    assert "Choose a token or a user." not in page


def test_the_page_of_an_entry_leads_there(client: Client, sam: User) -> None:
    resource = CatalogueEntry.objects.create(
        kind="resources", key="shop://a?b=c&d", source="code"
    )
    sam.user_permissions.add(Permission.objects.get(codename="view_catalogueentry"))
    change = reverse("admin:tools_app_catalogueentry_change", args=[resource.pk])
    link = f'href="{PAGE}?kind=resources&key=shop%3A%2F%2Fa%3Fb%3Dc%26d"'
    assert link in words(client.get(change))


@pytest.mark.parametrize("page", [10**6, 2**63, 10**30, -1])
@pytest.mark.parametrize("term", ["", "\0", "%", "a" * 5000])
def test_whatever_is_asked_of_the_offer_it_answers(
    client: Client, sam: User, term: str, page: int
) -> None:
    assert offer(client, term, page)["pagination"] == {"more": False}
