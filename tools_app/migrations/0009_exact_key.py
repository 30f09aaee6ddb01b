"""Names of entries that MariaDB and MySQL tell apart as other databases do."""

from __future__ import annotations

import tools_app.exact_text
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('tools_app', '0008_count_calls'),
    ]

    operations = [
        migrations.AlterField(
            model_name='catalogueentry',
            name='key',
            field=tools_app.exact_text.ExactCharField(help_text='What clients call it by.', max_length=512, verbose_name='name or URI'),
        ),
    ]
