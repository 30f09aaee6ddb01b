"""Counts the calls that are in the ledger already."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby, product
from operator import itemgetter
from typing import Any

from django.db import migrations
from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce

# The steps of the periods that the dashboard shows, and how long these are, in minutes.
LENGTHS = {1: 60, 15: 24 * 60, 120: 7 * 24 * 60, 480: 30 * 24 * 60}
FAILED = Q(outcome__in=['tool_error', 'error', 'timed_out'])
LIMITED = Q(outcome='error', error_code=429)


def count(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    calls = apps.get_model('tools_app', 'Call').objects.using(alias)
    counts = apps.get_model('tools_app', 'CallCount').objects.using(alias)
    now = int(datetime.now(UTC).timestamp()) // 60
    for step, length in LENGTHS.items():
        begin = now - length
        since = datetime.fromtimestamp((begin - begin % step) * 60, UTC)
        groups = (
            calls.filter(at__gte=since)
            .values_list(
                F('minute') - F('minute') % step,
                'method',
                'name',
                Coalesce('token', 0),
                'duration_bucket',
            )
            .annotate(
                all=Count('pk'),
                failed=Count('pk', filter=FAILED),
                limited=Count('pk', filter=LIMITED),
            )
            .order_by(F('minute') - F('minute') % step)
        )
        # What is in memory is one step.
        for minute, of_step in groupby(groups.iterator(), itemgetter(0)):
            counts.bulk_create(
                counts.model(step_minutes=step, minute=minute, **fields)
                for fields in counted(of_step)
            )


def counted(groups: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Yield the fields of the counts of one step."""
    sums: dict[Any, Counter[str]] = defaultdict(Counter)
    durations: dict[Any, Counter[int]] = defaultdict(Counter)
    for _, method, name, token, bucket, calls, errors, limited in groups:
        for by_name, by_token in product((False, True), repeat=2):
            named = (method, name) if by_name else ('', '')
            key = (by_name, by_token, *named, token if by_token else 0)
            sums[key].update(calls=calls, errors=errors, limited=limited)
            durations[key][bucket] += calls
    for key, counts in sums.items():
        by_name, by_token, method, name, token = key
        yield {
            'by_name': by_name,
            'by_token': by_token,
            'method': method,
            'name': name,
            'token': token,
            'durations': durations[key],
            **counts,
        }


class Migration(migrations.Migration):

    dependencies = [
        ('tools_app', '0007_callcount'),
    ]

    operations = [
        # Back there is nothing to do: the table goes with what it has.
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
