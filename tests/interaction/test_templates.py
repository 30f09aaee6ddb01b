"""What is read by the parts of its URI. Spec: 2026-07-28 server/resources
#resource-templates.
"""

from __future__ import annotations

import json

from tests.interaction.conftest import Connect
from tests.interaction.matrix import Cell


async def test_a_template_is_listed_and_read(cell: Cell, connect: Connect) -> None:
    async with connect() as guest:
        (template,) = await guest.list_resource_templates()
        assert template["uriTemplate"] == "page://{chapter}/{number}"
        uri = "page://a%20b/7"
        (page,) = (await guest.read_resource(uri))["contents"]
        assert page["uri"] == uri
        assert json.loads(page["text"]) == {"chapter": "a b", "number": 7}


async def test_a_part_of_the_wrong_type_is_not_there(
    cell: Cell, connect: Connect
) -> None:
    async with connect() as guest:
        error = await guest.fails("resources/read", {"uri": "page://a/seven"})
        assert error.code == cell.revision.resource_not_found
