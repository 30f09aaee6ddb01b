from __future__ import annotations

import re
import string
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_transport.protocol.uritemplate import MAX_URI_CHARS, UriTemplate

URI_CHARS = string.ascii_letters + string.digits + "-._~:/?#[]@!$&'()*+,;=%"


def match(template: str, uri: str) -> dict[str, str] | None:
    return UriTemplate(template).match(uri)


def values(*names: str) -> st.SearchStrategy[dict[str, str]]:
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
    return st.fixed_dictionaries(dict.fromkeys(names, text))


@pytest.mark.parametrize(
    ("template", "uri", "expected"),
    [
        ("test://template/{id}/data", "test://template/123/data", {"id": "123"}),
        ("order://{pk}", "order://7", {"pk": "7"}),
        ("order://{pk}", "order://a-b._~", {"pk": "a-b._~"}),
        ("a://{x}/{y}", "a://1/2", {"x": "1", "y": "2"}),
        ("a://{x}/b/{y}/c", "a://b/b/b/c", {"x": "b", "y": "b"}),
        ("a://q?x={x}&y={y}", "a://q?x=1&y=2", {"x": "1", "y": "2"}),
        ("file:///{+path}", "file:///a/b/c.txt", {"path": "a/b/c.txt"}),
        ("f:{+path}", "f:a?b#c=[d]@!$&'()*+,;", {"path": "a?b#c=[d]@!$&'()*+,;"}),
        ("a://{x}/{+rest}", "a://1/2/3", {"x": "1", "rest": "2/3"}),
        ("a://{+rest}/{x}", "a://1/2/3", {"rest": "1/2", "x": "3"}),
        ("a:{x}/{+r}/{y}!", "a:1/2/3/4!", {"x": "1", "r": "2/3", "y": "4"}),
        ("a:{+r}/x/{y}/{z}", "a:x/x/x/1/2", {"r": "x/x", "y": "1", "z": "2"}),
        ("doc://{page}{#part}", "doc://1#a/b", {"page": "1", "part": "a/b"}),
        ("doc://p{#part}", "doc://p#x", {"part": "x"}),
        ("a://{a.b}", "a://1", {"a.b": "1"}),
        ("a://{%41}", "a://1", {"%41": "1"}),
    ],
)
def test_values_are_found(template: str, uri: str, expected: dict[str, str]) -> None:
    assert match(template, uri) == expected
    assert UriTemplate(template).expand(**expected) == uri


@pytest.mark.parametrize(
    ("template", "uri", "expected"),
    [
        ("a://{x}-{y}", "a://1-2-3", {"x": "1", "y": "2-3"}),
        ("a://{+x}-{y}", "a://1-2-3", {"x": "1-2", "y": "3"}),
        ("a://{x}-{+y}", "a://1-2-3", {"x": "1", "y": "2-3"}),
        ("a://{+x}-{y}", "a://1--", {"x": "1", "y": "-"}),
        ("a://{x}-{y}", "a://--1", {"x": "-", "y": "1"}),
        ("a://{x}.txt", "a://b.txt.txt", {"x": "b.txt"}),
    ],
)
def test_a_literal_that_occurs_in_values_is_taken_in_one_way(
    template: str, uri: str, expected: dict[str, str]
) -> None:
    assert match(template, uri) == expected


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("order://{pk}", "order://"),
        ("order://{pk}", "order:/7"),
        ("order://{pk}", "Order://7"),
        ("order://{pk}", " order://7"),
        ("order://{pk}", "order://7\n"),
        ("order://{pk}", "order://7/"),
        ("order://{pk}", "order://7/8"),
        ("order://{pk}", "order://7?x"),
        ("order://{pk}", "order://7#x"),
        ("order://{pk}", "order://a b"),
        ("order://{pk}", "order://{pk}"),
        ("order://{pk}", "order://\u00e9"),
        ("order://{pk}", "order://\ue041"),
        ("order://{pk}", "order://\ud800"),
        ("order://{pk}", ""),
        ("a://{x}/data", "a:///data"),
        ("a://{x}/data", "a://1/dat"),
        ("a://{x}/data", "a://1/data/"),
        ("a://{x}a", "a://a"),
        ("aba{x}aba", "ababa"),
        ("a://{x}/{y}", "a://1/"),
        ("a://{x}/{y}", "a:///1"),
        ("a://{x}/{y}", "a://1"),
        ("a://{x}/{+y}", "a://1/"),
        ("a://{+x}/{y}", "a:///1"),
        ("a://{+x}/{y}", "a://1/"),
        ("f:{+path}", "f:a b"),
        ("f:{+path}", "f:<a>"),
        ("f:{+path}", "f:"),
        ("doc://p{#part}", "doc://p"),
        ("doc://p{#part}", "doc://p#"),
    ],
)
def test_other_uris_do_not_match(template: str, uri: str) -> None:
    assert match(template, uri) is None


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("a%2Fb", "a/b"),
        ("a%2fb", "a/b"),
        ("%61", "a"),
        ("%25", "%"),
        ("%2561", "%61"),
        ("Z%C3%BCrich", "Z\u00fcrich"),
        ("%F0%9F%98%80", "\U0001f600"),
        ("%20", " "),
        ("%E2%80%A8", "\u2028"),
        ("a%2E%2Eb", "a..b"),
        ("...", "..."),
    ],
)
def test_values_are_percent_decoded_once(encoded: str, value: str) -> None:
    assert match("x://{v}", f"x://{encoded}") == {"v": value}
    assert match("x:{+v}", f"x:{encoded}") == {"v": value}


@pytest.mark.parametrize("template", ["x://{v}", "x://{+v}"])
@pytest.mark.parametrize(
    "encoded",
    ["%", "%2", "%G1", "%+1", "a%", "%%20", "%u0041"]
    # Not UTF-8: lone bytes, overlong, a surrogate, beyond Unicode, cut short.
    + ["%FF", "%C0%AF", "%ED%A0%80", "%F5%80%80%80", "%C3", "%E2%80"]
    # Control characters, C1 included.
    + ["%00", "a%00b", "%0A", "%0d", "%1F", "%7F", "%C2%80", "%C2%9F"]
    # Segments that a reader of paths would follow out of its folder.
    + ["..", ".", "%2e%2e", "%2E", ".%2e", "..%2Fetc", "a%2F..%2Fb", "a%2F."]
    + ["..%5Cetc", "a%5c..", "a%2F%2e%2e"],
)
def test_values_that_could_deceive_do_not_match(template: str, encoded: str) -> None:
    assert match(template, f"x://{encoded}") is None


def test_dot_segments_are_refused_unencoded_too() -> None:
    assert match("x:{+v}", "x:../etc/passwd") is None
    assert match("x:{+v}", "x:a/./b") is None
    assert match("x:{+v}", "x:a/b/..") is None
    assert match("x:{+v}", "x:a/..b/c..") == {"v": "a/..b/c.."}


def test_a_search_never_splits_an_encoded_byte() -> None:
    assert match("x:{a}2F{b}", "x:%2F2F1") == {"a": "/", "b": "1"}
    assert match("x:{a}F{b}", "x:1%2F") is None
    assert match("x:{a}%2F{b}", "x:1%2f2") == {"a": "1", "b": "2"}


def test_literals_may_be_encoded_or_not_ascii() -> None:
    assert match("x:%c3%bc/{v}", "x:%C3%BC/1") == {"v": "1"}
    assert match("x:\u00fc/{v}", "x:%C3%bc/1") == {"v": "1"}
    assert UriTemplate("x:\u00fc/{v}").expand(v="1") == "x:%C3%BC/1"


def test_long_uris_never_match() -> None:
    longest = "x:" + "a" * (MAX_URI_CHARS - 2)
    assert match("x:{v}", longest) == {"v": longest[2:]}
    assert match("x:{v}", longest + "a") is None
    assert match("x:{+v}", longest * 1_000) is None


@pytest.mark.parametrize(
    ("template", "fix"),
    [
        ("{a}{b}", "put a literal such as '/' between them"),
        ("x:{a}{+b}", "put a literal such as '/' between them"),
        ("{+a}x{+b}", "keep one"),
        ("{+a}{#b}", "keep one"),
        ("x:{a}/{a}", "rename one"),
        ("x:{+a}/{a}", "rename one"),
        ("x:a", "plain URI"),
        ("", "plain URI"),
        ("x:{}", "each with one name"),
        ("x:{+}", "each with one name"),
        ("x:{?q}", "write {var}"),
        ("x:{&q}", "write {var}"),
        ("x:{/p}", "write {var}"),
        ("x:{.p}", "write {var}"),
        ("x:{;p}", "write {var}"),
        ("x:{a,b}", "each with one name"),
        ("x:{a*}", "write {var}"),
        ("x:{a:3}", "write {var}"),
        ("x:{a b}", "write {var}"),
        ("x:{a.}", "write {var}"),
        ("x:{\u00e9}", "write {var}"),
        ("x:{a", "no URI may hold"),
        ("x:a}/{b}", "no URI may hold"),
        ("x:{{a}}", "no URI may hold"),
        ("x: {a}", "no URI may hold"),
        ("x:%/{a}", "no URI may hold"),
        ("x:%zz/{a}", "no URI may hold"),
        ("x:\n{a}", "no URI may hold"),
        ('x:"{a}', "no URI may hold"),
        ("x:" + "a" * MAX_URI_CHARS + "{a}", "at most 2048"),
    ],
)
def test_bad_templates_are_refused_naming_the_fix(template: str, fix: str) -> None:
    with pytest.raises(ValueError, match=fix):
        UriTemplate(template)


def test_template_and_variables_are_told() -> None:
    template = UriTemplate("a://{x}/{+y}")
    assert template.template == "a://{x}/{+y}"
    assert template.variables == ("x", "y")
    assert repr(template) == "UriTemplate('a://{x}/{+y}')"


def test_the_most_specific_template_sorts_last() -> None:
    templates = [
        "{+all}",
        "{all}",
        "x://{+p}",
        "x://{p}",
        "x://{a}/{b}",
        "x://{p}/",
        "x://a/{+p}",
        "x://a/{p}",
        "x://a/{p}/edit",
    ]
    in_order = sorted(
        map(UriTemplate, reversed(templates)), key=lambda t: t.specificity
    )
    assert [template.template for template in in_order] == templates


@pytest.mark.parametrize(
    "template",
    ["{a}x{b}", "{a}/{b}/{c}", "x:{a}/{+b}/{c}", "x:{a}?{b}{#c}", "{a}--{+b}"],
)
@given(data=st.data())
def test_what_expand_returns_is_matched(template: str, data: st.DataObject) -> None:
    parsed = UriTemplate(template)
    given_values = data.draw(values(*parsed.variables))
    try:
        uri = parsed.expand(**given_values)
    except ValueError:
        return
    assert uri.isascii() and set(uri) <= set(URI_CHARS)
    assert parsed.match(uri) == given_values


@given(values("a", "b"))
def test_unless_a_value_could_deceive_expand_carries_it(values: dict[str, str]) -> None:
    kept = {
        name: quote(value, safe="").replace(".", "-") for name, value in values.items()
    }
    uri = UriTemplate("x://{a}/{b}").expand(**kept)
    assert match("x://{a}/{b}", uri) == kept


@given(st.text(URI_CHARS, max_size=60))
@settings(max_examples=300)
def test_a_match_is_expanded_to_a_uri_that_matches_alike(tail: str) -> None:
    template = UriTemplate("x:{a}/{+b}-{c}")
    found = template.match(f"x:{tail}")
    if found is not None:
        assert template.match(template.expand(**found)) == found


pieces = st.text("xy/-", max_size=3)


@given(st.lists(pieces, min_size=2, max_size=4), st.integers(0, 3), st.data())
@settings(max_examples=500)
def test_short_uris_are_matched_as_a_backtracking_search_would(
    literals: list[str], reserved: int, data: st.DataObject
) -> None:
    template = backtracking = uri = ""
    for index, literal in enumerate(literals[:-1]):
        literal = literal or ("x" if index else "")
        # Literals lie as far left as can be before the reserved variable, and as
        # far right as can be from there on.
        shortest = "?" if index < reserved else ""
        value = "[xy/-]+" if index == reserved else f"[xy-]+{shortest}"
        template += f"{literal}{{{'+' if index == reserved else ''}v{index}}}"
        backtracking += f"{re.escape(literal)}(?P<v{index}>{value})"
        uri += literal + data.draw(pieces)
    template += literals[-1]
    backtracking += re.escape(literals[-1])
    found = re.fullmatch(backtracking, uri + literals[-1])
    expected = found.groupdict() if found else None
    assert match(template, uri + literals[-1]) == expected


@pytest.mark.parametrize(
    "given_values",
    [
        {},
        {"a": "1"},
        {"a": "1", "b": "2", "c": "3"},
        {"a": "", "b": "2"},
        {"a": "..", "b": "2"},
        {"a": "x\0", "b": "2"},
        {"a": "\ud800", "b": "2"},
        {"a": "1-2", "b": "3"},
        {"a": "x" * MAX_URI_CHARS, "b": "2"},
    ],
)
def test_expand_refuses_what_match_would_not_find(given_values: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        UriTemplate("x:{a}-{b}").expand(**given_values)


def test_adversarial_templates_are_matched_without_going_back() -> None:
    # A backtracking matcher tries every way to divide the URI, and would not end.
    many = "".join(f"{{a{n}}}x" for n in range(180))
    assert len(UriTemplate(many).variables) == 180
    found = match(many, "x" * MAX_URI_CHARS)
    assert found is not None
    assert set(found.values()) == {"x", "x" * (MAX_URI_CHARS - 2 * 180 + 1)}
    # Only the last value is at fault, so that there is much to try again.
    tail = "x" * (MAX_URI_CHARS - 2) + "/"
    assert match(many + "{last}", tail) is None
    assert match(many + "{+rest}x{last}", tail) is None
    assert match(many + "yy{last}", tail) is None
