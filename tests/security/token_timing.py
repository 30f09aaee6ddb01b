"""How long the refusal of a token takes: ``python -m tests.security.token_timing N``.

Makes a database, asks an authenticator N times for tokens of each kind, one kind
after another in a random order, and prints the median of each kind in
microseconds, as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

if TYPE_CHECKING:
    from tools_app.tokens import TokenAuthenticator

RIGHT_CHARS = 38  # of 60: "mcp_", the public id, "_", and 21 of the secret
WARM_UP = 100

Make = Callable[[], str]


async def medians_us(
    authenticator: TokenAuthenticator, kinds: Mapping[str, Make], count: int
) -> dict[str, float]:
    took_ns: dict[str, list[int]] = {kind: [] for kind in kinds}
    order = list(kinds)
    gc.disable()
    for _ in range(WARM_UP + count):
        random.shuffle(order)
        for kind in order:
            text = kinds[kind]()
            began = time.perf_counter_ns()
            caller = await authenticator.authenticate(text)
            took_ns[kind].append(time.perf_counter_ns() - began)
            if caller is not None:
                raise AssertionError(f"accepted: {kind}")
    return {
        kind: statistics.median(each[WARM_UP:]) / 1000 for kind, each in took_ns.items()
    }


def main(count: int) -> None:
    django.setup()
    call_command("migrate", verbosity=0)

    # Models can be imported only now.
    from django.contrib.auth.models import User

    from tools_app import credential
    from tools_app.models import Token
    from tools_app.tokens import TokenAuthenticator

    owner = User.objects.create_user("ada")
    token, text = Token.objects.issue(name="laptop", owner=owner, scopes=["*"])
    authenticator = TokenAuthenticator()
    # Known to the cache as well, as the token of a client at work.
    if asyncio.run(authenticator.authenticate(text)) is None:
        raise AssertionError("the right token is refused")

    def of_nobody() -> str:
        return credential.new_token_text(credential.new_public_id())

    def wrong() -> str:
        return credential.new_token_text(token.public_id)

    def half_right() -> str:
        return text[:RIGHT_CHARS] + wrong()[RIGHT_CHARS:]

    kinds = {"unknown id": of_nobody, "wrong": wrong, "right prefix": half_right}
    print(json.dumps(asyncio.run(medians_us(authenticator, kinds, count))))


if __name__ == "__main__":
    main(int(sys.argv[1]))
