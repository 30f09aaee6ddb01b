"""What bounds a token beside its scopes, and the secret before the last rotation."""

from __future__ import annotations

import django.core.validators
import tools_app.bounds
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tools_app', '0001_token'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='token',
            options={'ordering': ['-created_at', '-pk'], 'permissions': [('revoke_token', 'Can revoke token'), ('rotate_token', 'Can rotate token')], 'verbose_name': 'token', 'verbose_name_plural': 'tokens'},
        ),
        migrations.AddField(
            model_name='token',
            name='allowed_tools',
            field=models.JSONField(blank=True, default=list, help_text='Names of tools, one per line. The token sees and calls no other tools. Blank: all that the scopes grant.', validators=[tools_app.bounds.validate_tools], verbose_name='tools'),
        ),
        migrations.AddField(
            model_name='token',
            name='max_calls',
            field=models.PositiveIntegerField(blank=True, help_text='How many calls may run at a time in one server process. Blank: what the server allows to every token.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='calls at a time'),
        ),
        migrations.AddField(
            model_name='token',
            name='networks',
            field=models.JSONField(blank=True, default=list, help_text='Where the token may be used: addresses or networks such as 192.0.2.0/24 or 2001:db8::/32, one per line. Blank: anywhere.', validators=[tools_app.bounds.validate_networks], verbose_name='networks'),
        ),
        migrations.AddField(
            model_name='token',
            name='previous_digest',
            field=models.CharField(blank=True, editable=False, max_length=64, verbose_name='digest of the old secret'),
        ),
        migrations.AddField(
            model_name='token',
            name='previous_expires_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='old secret expires'),
        ),
        migrations.AddField(
            model_name='token',
            name='previous_last_used_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='old secret last used'),
        ),
        migrations.AddField(
            model_name='token',
            name='rate',
            field=models.CharField(blank=True, help_text='How many requests in which time, such as 60/m or 100/5m, with s, m, h or d. Blank: what the server allows to every token.', max_length=20, validators=[tools_app.bounds.validate_rate], verbose_name='rate'),
        ),
    ]
