"""What an administrator needs for the inspector and the dashboard: no tables."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('tools_app', '0005_call'),
    ]

    operations = [
        migrations.CreateModel(
            name='Dashboard',
            fields=[
            ],
            options={
                'verbose_name': 'dashboard',
                'verbose_name_plural': 'dashboard',
                'permissions': [('view_dashboard', 'Can view the dashboard'), ('end_session', 'Can end a session')],
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('tools_app.token',),
        ),
        migrations.CreateModel(
            name='Inspector',
            fields=[
            ],
            options={
                'verbose_name': 'inspector',
                'verbose_name_plural': 'inspector',
                'permissions': [('run_as', 'Can run as a token or a user')],
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('tools_app.token',),
        ),
    ]
