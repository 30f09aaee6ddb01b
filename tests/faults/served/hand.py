"""What an administrator does to tokens, in a process of its own.

``issue COUNT RATE`` prints the texts of new tokens. ``revoke ID...`` prints when each
was withdrawn, by the clock that all processes of this machine share.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence

import django
from django.core.management import call_command


def issue(count: str, rate: str) -> None:
    from django.contrib.auth.models import User

    from tools_app.models import Token

    owner, _ = User.objects.get_or_create(username="ada")
    for number in range(int(count)):
        name = f"client {number}"
        _, text = Token.objects.issue(name=name, owner=owner, scopes=["*"], rate=rate)
        print(text)


def revoke(*public_ids: str) -> None:
    for public_id in public_ids:
        call_command("mcp", "tokens", "revoke", public_id, stdout=io.StringIO())
        print(time.monotonic())


def main(arguments: Sequence[str]) -> None:
    django.setup()
    match arguments:
        case ["issue", count, rate]:
            issue(count, rate)
        case ["revoke", *public_ids]:
            revoke(*public_ids)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
