"""The table of calls."""

from __future__ import annotations

import django.db.models.deletion
import tools_app.call
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tools_app', '0004_catalogue'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.UUIDField(default=tools_app.call.new_id, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='time')),
                ('minute', models.PositiveIntegerField(verbose_name='minutes since 1970')),
                ('duration_ms', models.FloatField(verbose_name='duration (ms)')),
                ('duration_bucket', models.SmallIntegerField(verbose_name='bucket of the duration')),
                ('method', models.CharField(max_length=64, verbose_name='method')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('subject', models.CharField(max_length=255, verbose_name='caller')),
                ('actor', models.CharField(blank=True, help_text='The administrator who ran this as the user.', max_length=255, verbose_name='run by')),
                ('client', models.CharField(blank=True, max_length=255, verbose_name='client')),
                ('door', models.CharField(max_length=64, verbose_name='transport')),
                ('revision', models.CharField(blank=True, max_length=64, verbose_name='revision')),
                ('session_id', models.CharField(blank=True, max_length=16, verbose_name='session')),
                ('arguments', models.JSONField(blank=True, default=dict, verbose_name='arguments')),
                ('outcome', models.CharField(choices=[('ok', 'done'), ('tool_error', 'the tool failed'), ('input_required', 'asked the client'), ('error', 'refused'), ('timed_out', 'too late'), ('cancelled', 'cancelled')], max_length=20, verbose_name='outcome')),
                ('error_code', models.IntegerField(blank=True, null=True, verbose_name='error code')),
                ('error', models.CharField(blank=True, max_length=1000, verbose_name='error')),
                ('sent_bytes', models.BigIntegerField(verbose_name='bytes sent')),
                ('trace_id', models.CharField(blank=True, max_length=32, verbose_name='trace')),
                ('log_entry', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='entry in the history')),
                ('token', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='calls', to='tools_app.token', verbose_name='token')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'call',
                'verbose_name_plural': 'calls',
                'ordering': ['-at', '-pk'],
                'permissions': [('export_call', 'Can export calls')],
                'default_permissions': ('view', 'delete'),
                'indexes': [models.Index(fields=['-at', '-id'], name='mcp_call_at'), models.Index(fields=['name', '-at'], name='mcp_call_name'), models.Index(fields=['token', '-at'], name='mcp_call_token'), models.Index(fields=['outcome', '-at'], name='mcp_call_outcome'), models.Index(fields=['trace_id'], name='mcp_call_trace')],
            },
        ),
    ]
