"""Types as users annotate with them: nested, recursive, discriminated."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Color(enum.Enum):
    RED = "r"
    GREEN = "g"


class Address(BaseModel):
    """Where it goes."""

    title: str
    zip: str | None = None


class Order(BaseModel):
    pk: int
    to: Address
    lines: list[Address] = []


class Node(BaseModel):
    value: float
    next: Node | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    friend: Pet | None = None


class Dog(BaseModel):
    kind: Literal["dog"]
    friend: Pet | None = None


class Loose(BaseModel):
    friend: Loose | Dog | None = None


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
for model in (Cat, Dog, Loose):
    model.model_rebuild()
