"""Makes the database and issues tokens: ``python -m bench.project.tokens COUNT``.

Prints the texts of the tokens, one a line.
"""

from __future__ import annotations

import os
import sys

import django
from django.core.management import call_command


def main(count: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.project.settings")
    django.setup()
    call_command("migrate", verbosity=0)

    # Models can be imported only now.
    from django.contrib.auth import get_user_model

    from tools_app.models import Token

    owner = get_user_model().objects.create(username="bench")
    for number in range(count):
        _, text = Token.objects.issue(
            name=f"bench {number}", owner=owner, scopes=["tools:call"]
        )
        print(text)


if __name__ == "__main__":
    main(int(sys.argv[1]))
