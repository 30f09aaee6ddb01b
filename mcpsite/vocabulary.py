"""Writes the protocol's vocabulary, revision by revision, into the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from django.db import transaction

from mcp_transport.protocol.revision import Revision as ProtocolRevision
from mcp_transport.protocol.revisions import REVISIONS
from mcpsite.models import Feature, Revision

Term = tuple[str, str]  # kind, name


def terms(revision: ProtocolRevision) -> Iterator[Term]:
    """Yield every word that ``revision`` knows."""
    for method in revision.requests:
        yield Feature.Kind.REQUEST.value, method
    for method in revision.notifications:
        yield Feature.Kind.NOTIFICATION.value, method
    for capability in revision.asks:
        yield Feature.Kind.QUESTION.value, ".".join(capability)
    for kind, fields in revision.fields.items():
        # Types are capitalised; kinds of content have the name of their tag.
        if kind[0].islower():
            yield Feature.Kind.CONTENT.value, kind
        for field in fields:
            yield Feature.Kind.FIELD.value, f"{kind}.{field}"


@transaction.atomic
def write_vocabulary(revisions: Mapping[str, ProtocolRevision] = REVISIONS) -> int:
    """Make the tables say what ``revisions`` says; return the number of features.

    Rows that still hold are kept, with their keys; the others go.
    """
    known: dict[Term, list[Revision]] = defaultdict(list)
    Revision.objects.exclude(name__in=revisions).delete()
    for position, (name, revision) in enumerate(revisions.items()):
        row, _ = Revision.objects.update_or_create(
            name=name, defaults={"position": position, "stateful": revision.stateful}
        )
        for term in terms(revision):
            known[term].append(row)
    for feature in Feature.objects.all():
        if (feature.kind, feature.name) not in known:
            feature.delete()
    for (kind, name), rows in known.items():
        feature, _ = Feature.objects.get_or_create(kind=kind, name=name)
        feature.revisions.set(rows)
    return len(known)
