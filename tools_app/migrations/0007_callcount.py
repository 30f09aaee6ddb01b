"""The table of counts of calls."""

from __future__ import annotations

import tools_app.exact_text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tools_app', '0006_permissions'),
    ]

    operations = [
        migrations.CreateModel(
            name='CallCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step_minutes', models.PositiveIntegerField(verbose_name='length of the step (minutes)')),
                ('by_name', models.BooleanField(verbose_name='by name')),
                ('by_token', models.BooleanField(verbose_name='by token')),
                ('minute', models.PositiveIntegerField(verbose_name='begin of the step (minutes since 1970)')),
                ('method', tools_app.exact_text.ExactCharField(blank=True, max_length=64, verbose_name='method')),
                ('name', tools_app.exact_text.ExactCharField(blank=True, max_length=255, verbose_name='name')),
                ('token', models.PositiveBigIntegerField(verbose_name='token')),
                ('calls', models.PositiveIntegerField(verbose_name='calls')),
                ('errors', models.PositiveIntegerField(verbose_name='errors')),
                ('limited', models.PositiveIntegerField(verbose_name='rate limits hit')),
                ('durations', models.JSONField(verbose_name='calls by bucket of their duration')),
            ],
            options={
                'verbose_name': 'count of calls',
                'verbose_name_plural': 'counts of calls',
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('step_minutes', 'by_name', 'by_token', 'minute', 'method', 'name', 'token'), name='mcp_count_key')],
            },
        ),
    ]
