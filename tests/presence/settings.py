"""A project that serves every door, in as many processes as share a Redis."""

from __future__ import annotations

import os

from tests.wire.settings import ALLOWED_HOSTS as ALLOWED_HOSTS
from tests.wire.settings import INSTALLED_APPS as INSTALLED_APPS
from tests.wire.settings import MCP as WIRE
from tests.wire.settings import ROOT_URLCONF as ROOT_URLCONF
from tests.wire.settings import SECRET_KEY as SECRET_KEY

MCP = WIRE | {"STORE": os.environ["PRESENCE_STORE"]}
