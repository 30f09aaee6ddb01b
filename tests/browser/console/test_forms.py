"""Forms made from JSON Schema: what is filled in, what comes out, what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.console.conftest import Console

Json = dict[str, Any]


async def show(parts: Console, schema: Json) -> Locator:
    """Put the form of a schema on the page, and nothing else."""
    await parts.js(
        """
        const { SchemaForm } = await load("schemaform.js");
        window.made = new SchemaForm(JSON.parse(args[0]));
        const around = document.createElement("form");
        around.append(window.made.element);
        document.body.replaceChildren(around);
        """,
        json.dumps(schema),
    )
    return parts.page.locator(".mcp-schemaform")


async def read(parts: Console) -> Any:
    """Give what the form gives; None if something is wrong with it."""
    return await parts.js("return window.made.read() ?? null")


def of(required: list[str] | None = None, /, **properties: Json) -> Json:
    """Give the schema of an object."""
    return {"type": "object", "properties": properties, "required": required or []}


TITLED = [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]


@pytest.mark.parametrize(
    ("schema", "typed", "value"),
    [
        ({"type": "string"}, "tea", "tea"),
        ({"type": "string", "maxLength": 20}, "a\tb", "a\tb"),
        ({"type": "string", "format": "email"}, "ada@shop.example", "ada@shop.example"),
        ({"type": "string", "format": "uri"}, "urn:isbn:1", "urn:isbn:1"),
        ({"type": "string", "format": "date"}, "2026-02-28", "2026-02-28"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "abc", "abc"),
        ({"type": "integer", "minimum": -3}, "-3", -3),
        ({"type": "number"}, "0.25", 0.25),
        ({"type": "number", "multipleOf": 0.1}, "0.3", 0.3),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "7", 7),
        ({"type": ["string", "null"]}, "x", "x"),
        ({"$ref": "#/$defs/Size"}, "12", 12),
        ({"allOf": [{"$ref": "#/$defs/Size"}], "description": "d"}, "12", 12),
        ({}, '{"a": [1, null]}', {"a": [1, None]}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "5", 5),
        ({"type": "object"}, '{"k": 1}', {"k": 1}),
    ],
)
async def test_what_is_typed_in_is_what_comes_out(
    parts: Console, schema: Json, typed: str, value: Any
) -> None:
    defs = {"$defs": {"Size": {"type": "integer"}}}
    form = await show(parts, {**of(it=schema), **defs})
    await form.get_by_label("it").fill(typed)
    assert await read(parts) == {"it": value}


@pytest.mark.parametrize(
    ("schema", "typed", "problem"),
    [
        ({"type": "string"}, "", "This is required."),
        ({"type": "string", "minLength": 3}, "ab", "Needs at least 3 characters."),
        (
            {"type": "string", "maxLength": 2},
            "a🙂c",
            "Takes at most 2 characters; this has 3.",
        ),
        ({"type": "string", "pattern": "^[a-z]+$"}, "A", "Must match ^[a-z]+$"),
        ({"type": "string", "format": "email"}, "ada", "Must be an e-mail address."),
        ({"type": "string", "format": "uri"}, "here", "Must be a URI."),
        ({"type": "integer"}, "1.5", "Must be a whole number."),
        ({"type": "integer"}, "9007199254740993", "Is too large to be sent exactly."),
        ({"type": "integer", "minimum": 1}, "0", "Must be at least 1."),
        ({"type": "integer", "maximum": 5}, "6", "Must be at most 5."),
        ({"type": "number", "exclusiveMinimum": 0}, "0", "Must be more than 0."),
        ({"type": "number", "exclusiveMaximum": 1}, "1", "Must be less than 1."),
        ({"type": "number", "multipleOf": 0.5}, "0.7", "Must be a multiple of 0.5."),
        ({}, "{", "Is not JSON"),
    ],
)
async def test_what_is_wrong_is_said_at_the_field(
    parts: Console, schema: Json, typed: str, problem: str
) -> None:
    form = await show(parts, of(["it"], other={"type": "string"}, it=schema))
    field = form.get_by_label("it")
    await field.fill(typed)
    assert await read(parts) is None
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")
    said = re.compile(re.escape(problem))
    await expect(field).to_have_accessible_description(said)
    await field.fill("1")
    await expect(form.locator(".mcp-problem:visible")).to_have_count(0)


async def test_what_was_left_out_is_not_sent(parts: Console) -> None:
    await show(
        parts,
        of(
            text={"type": "string"},
            number={"type": "integer"},
            either={"type": "boolean"},
            one={"enum": ["a", "b"]},
            some={"type": "array", "items": {"enum": ["a", "b"]}},
            items={"type": "array", "items": {"type": "string"}},
            group=of(["inner"], inner={"type": "string"}),
            anything={},
        ),
    )
    assert await read(parts) == {}


async def test_null_is_sent_where_something_must_be(parts: Console) -> None:
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    await show(parts, of(["it"], it=nullable))
    assert await read(parts) == {"it": None}


async def test_defaults_are_filled_in(parts: Console) -> None:
    form = await show(
        parts,
        of(
            text={"type": "string", "default": "tea"},
            number={"type": "integer", "default": 0},
            yes={"type": "boolean", "default": True},
            one={"enum": [1, "1"], "default": "1"},
            some={"type": "array", "items": {"enum": ["a", "b"]}, "default": ["b"]},
            items={"type": "array", "items": {"type": "integer"}, "default": [1, 2]},
            nothing={"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        ),
    )
    expected = {
        "text": "tea",
        "number": 0,
        "yes": True,
        "one": "1",
        "some": ["b"],
        "items": [1, 2],
    }
    assert await read(parts) == expected
    await form.get_by_label("yes").uncheck()
    assert await read(parts) == {**expected, "yes": False}


async def test_choices_show_their_titles_and_send_their_values(
    parts: Console,
) -> None:
    form = await show(
        parts,
        of(
            ["colour", "sure"],
            colour={"oneOf": TITLED},
            size={"enum": ["s", "l"], "enumNames": ["Small", "Large"]},
            colours={"type": "array", "items": {"anyOf": TITLED}, "maxItems": 1},
            sure={"type": "boolean"},
            perhaps={"type": "boolean"},
        ),
    )
    await form.get_by_label("colour required").select_option("Green")
    await form.get_by_label("size").select_option("Large")
    await form.get_by_label("Red", exact=True).check()
    await form.get_by_label("perhaps").select_option("no")
    assert await read(parts) == {
        "colour": "g",
        "size": "l",
        "colours": ["r"],
        "sure": False,
        "perhaps": False,
    }
    await form.get_by_label("Green", exact=True).check()
    assert await read(parts) is None
    await expect(form.get_by_text("Takes at most 1 item; there are 2.")).to_be_visible()


async def test_a_moment_is_sent_with_its_zone(parts: Console) -> None:
    form = await show(parts, of(at={"type": "string", "format": "date-time"}))
    await form.get_by_label("at").fill("2026-07-28T12:30")
    local = "return new Date('2026-07-28T12:30').toISOString()"
    assert await read(parts) == {"at": await parts.js(local)}


async def test_lists_and_groups_grow_as_they_are_asked_to(parts: Console) -> None:
    address = of(["city"], city={"type": "string"}, zip={"type": "string"})
    form = await show(
        parts,
        of(
            ["names", "home"],
            names={"type": "array", "items": {"type": "string"}, "minItems": 1},
            home=address,
            work=address,
            visits={"type": "array", "items": address},
        ),
    )
    await form.get_by_role("textbox", name="Item 1").fill("Ada")
    await form.get_by_role("button", name="Add an item to names").click()
    await form.get_by_role("textbox", name="Item 2").fill("Grace")
    await form.get_by_role("button", name="Add an item to names").click()
    await form.get_by_role("button", name="Remove Item 1 of names").click()
    await form.get_by_role("textbox", name="Item 2").fill("Joan")
    await form.get_by_role("group", name="home").get_by_label("city").fill("Oslo")
    await form.get_by_label("Give work").check()
    await form.get_by_role("group", name="work").get_by_label("city").fill("Rome")
    await form.get_by_role("button", name="Add an item to visits").click()
    await form.get_by_role("group", name="visits").get_by_label("city").fill("Bonn")
    expected = {
        "names": ["Grace", "Joan"],
        "home": {"city": "Oslo"},
        "work": {"city": "Rome"},
        "visits": [{"city": "Bonn"}],
    }
    assert await read(parts) == expected
    await form.get_by_label("Give work").uncheck()
    del expected["work"]
    assert await read(parts) == expected


async def test_the_whole_can_be_written_as_json(parts: Console) -> None:
    form = await show(parts, of(["a"], a={"type": "integer"}))
    await form.get_by_label("a").fill("1")
    await form.get_by_role("button", name="Edit as JSON").click()
    whole = form.get_by_label("JSON")
    await expect(whole).to_have_value('{\n  "a": 1\n}')
    await whole.fill("[1]")
    assert await read(parts) is None
    await expect(form.get_by_text("Must be a JSON object.")).to_be_visible()
    await whole.fill('{"a": 2, "more": {"b": null}}')
    assert await read(parts) == {"a": 2, "more": {"b": None}}
    await form.get_by_role("button", name="Edit as a form").click()
    await expect(form.get_by_label("a")).to_have_value("2")
    assert await read(parts) == {"a": 2, "more": {"b": None}}


async def test_a_schema_that_holds_itself_ends(parts: Console) -> None:
    tree = of(["name"], name={"type": "string"}, child={"$ref": "#/$defs/Tree"})
    form = await show(parts, {**of(root=tree), "$defs": {"Tree": tree}})
    await form.get_by_label("Give root").check()
    await form.get_by_label("name").fill("a")
    await form.get_by_label("Give child").check()
    await form.get_by_label("name").last.fill("b")
    assert await read(parts) == {"root": {"name": "a", "child": {"name": "b"}}}
    endless = {"$ref": "#/$defs/Endless"}
    defs = {"Endless": of(["more"], more=endless), "Loop": {"$ref": "#/$defs/Loop"}}
    schema = {**of(["it"], it=endless, loop={"$ref": "#/$defs/Loop"}), "$defs": defs}
    await expect(await show(parts, schema)).to_be_visible()


async def test_names_of_all_kinds_are_only_names(parts: Console) -> None:
    schema = of(**{"__proto__": {"type": "string"}, "<b>": {"type": "string"}})
    form = await show(parts, schema)
    await form.get_by_label("__proto__").fill("p")
    await form.get_by_label("<b>").fill("b")
    written = "return JSON.stringify(window.made.read())"
    assert await parts.js(written) == '{"__proto__":"p","<b>":"b"}'


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {
            "type": "object",
            "properties": {"a": True, "b": {"$ref": "https://x.example"}},
        },
        {"type": "object", "properties": {"a": {"enum": []}, "b": {"$ref": "#/%"}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}},
        {"type": "object", "required": "a", "properties": {"a": {"oneOf": [None]}}},
    ],
)
async def test_an_odd_schema_still_makes_a_form(parts: Console, schema: Any) -> None:
    await expect(await show(parts, schema)).to_be_visible()
    assert await read(parts) == {}


async def test_enter_sends_and_shift_enter_begins_a_line(parts: Console) -> None:
    form = await show(parts, of(text={"type": "string"}))
    await parts.js(
        """
        window.sent = 0;
        document.forms[0].addEventListener("submit", (event) => {
          event.preventDefault();
          window.sent += 1;
        });
        """
    )
    field = form.get_by_label("text")
    await field.press_sequentially("one")
    await field.press("Shift+Enter")
    await field.press_sequentially("two")
    await field.press("Enter")
    assert await parts.js("return window.sent") == 1
    assert await read(parts) == {"text": "one\ntwo"}
