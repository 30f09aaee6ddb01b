from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcp_transport.protocol.docstring import Description, describe


def google() -> None:
    """Count orders.

    Only those that the caller may see.

    Args:
        status: only orders
            in this state: open, sent.
        limit (int, optional): at most so many.

    Returns:
        How many.

    Note:
        Cheap.
    """


def numpy() -> None:
    """Count orders.

    Parameters
    ----------
    status : str
        only orders in this state: open, sent.
    limit : int
        at most so many.

    Returns
    -------
    int
        How many.
    """


def rest() -> None:
    """Count orders.

    :param status: only orders in this
        state: open, sent.
    :param int limit: at most so many.
    :returns: how many.
    """


ARGUMENTS = {
    "status": "only orders in this state: open, sent.",
    "limit": "at most so many.",
}


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (
            google,
            "Count orders.\n\nOnly those that the caller may see.\n\n"
            "Returns:\n    How many.\n\nNote:\n    Cheap.",
        ),
        (numpy, "Count orders.\n\nReturns\n-------\nint\n    How many."),
        (rest, "Count orders.\n\n:returns: how many."),
    ],
)
def test_each_style_gives_its_text_and_its_arguments(
    function: Callable[..., Any], text: str
) -> None:
    assert describe(function) == Description(text, ARGUMENTS)


def test_no_docstring_is_an_empty_description() -> None:
    def bare() -> None:
        pass

    assert describe(bare) == Description("", {})


@pytest.mark.parametrize(
    "source",
    [
        "One line with a: colon.",
        "Do.\n\nArgs:\n    no colon here",
        ":param",
        "Do.\n\nAttributes:\n    size: of the class",
        "Do.\n\n- item: one\n- item: two",
    ],
)
def test_text_without_a_readable_list_of_arguments_is_kept_whole(source: str) -> None:
    def function() -> None:
        pass

    function.__doc__ = source
    assert describe(function) == Description(source, {})


def test_what_follows_the_arguments_stays() -> None:
    def function() -> None:
        """Do.

        Args:
            a: one.

                Still of a.
        Careful: this deletes.
        """

    described = describe(function)
    assert described.text == "Do.\n\nCareful: this deletes."
    assert described.arguments == {"a": "one. Still of a."}
