"""The table of the origins that administrators allow."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
import tools_app.allowed_origin
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tools_app', '0002_token_limits_and_rotation'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AllowedOrigin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(help_text='Whose pages may call, such as https://app.example.com', max_length=512, unique=True, validators=[tools_app.allowed_origin.validate_origin], verbose_name='origin')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='note')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
            ],
            options={
                'verbose_name': 'allowed origin',
                'verbose_name_plural': 'allowed origins',
                'ordering': ['origin'],
            },
        ),
    ]
