from __future__ import annotations

import pytest

from mcp_transport.engine.rates import MAX_LIMIT, Rate

READ = {
    "1/s": Rate(1, 1),
    "60/m": Rate(60, 60),
    "100/5m": Rate(100, 300),
    "5/90s": Rate(5, 90),
    "2/h": Rate(2, 3600),
    "7/2d": Rate(7, 172_800),
    f"{MAX_LIMIT}/99999d": Rate(MAX_LIMIT, 99_999 * 86_400),
}
UNREADABLE = [
    "",
    "60",
    "/m",
    "60/",
    "0/m",
    "00/m",
    "60/0m",
    "-1/m",
    "+1/m",
    "1.5/m",
    "60/m ",
    " 60/m",
    "60 / m",
    "60/M",
    "60/w",
    "60/min",
    "60/m\n",
    "\u0661/m",
    "60/\u0661m",
    f"{MAX_LIMIT + 1}/m",
    "9" * 11 + "/m",
    "1/100000s",
]


@pytest.mark.parametrize(("text", "rate"), READ.items())
def test_a_rate_is_how_often_in_which_time(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_rate_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write how often in which time") as refused:
        Rate.parse(text)
    assert str(refused.value).startswith(f"{text!r} is no rate")


@pytest.mark.parametrize("text", [*READ, "1/60s", "1/120s", "3/24h", "1/90m"])
def test_a_rate_is_said_in_the_words_that_it_is_read_from(text: str) -> None:
    rate = Rate.parse(text)
    assert Rate.parse(str(rate)) == rate


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (Rate(60, 60), "60/m"),
        (Rate(100, 300), "100/5m"),
        (Rate(5, 90), "5/90s"),
        (Rate(1, 86_400), "1/d"),
    ],
)
def test_a_rate_is_said_in_the_largest_unit_that_is_exact(
    rate: Rate, said: str
) -> None:
    assert str(rate) == said
