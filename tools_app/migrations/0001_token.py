"""The table of tokens."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
import tools_app.credential
import tools_app.models
import tools_app.scopes
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Token',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=tools_app.credential.new_public_id, editable=False, max_length=12, unique=True, verbose_name='public id')),
                ('name', models.CharField(help_text='Where the token is used.', max_length=100, verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, verbose_name='digest')),
                ('scopes', models.JSONField(blank=True, default=list, help_text='One per line. tools:call grants every tool that the owner may use, tools:call:NAME one tool, resources:read all resources, prompts:get all prompts, * everything. A token without scopes can do nothing.', validators=[tools_app.scopes.validate_scopes], verbose_name='scopes')),
                ('expires_at', models.DateTimeField(default=tools_app.models.default_expiry, verbose_name='expires')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='revoked')),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last used')),
                ('notes', models.TextField(blank=True, verbose_name='notes')),
                ('owner', models.ForeignKey(help_text="Calls are made as this user, with this user's permissions.", on_delete=django.db.models.deletion.CASCADE, related_name='mcp_tokens', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'token',
                'verbose_name_plural': 'tokens',
                'ordering': ['-created_at', '-pk'],
                'permissions': [('revoke_token', 'Can revoke token')],
            },
        ),
    ]
