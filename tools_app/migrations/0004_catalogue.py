"""The table of the catalogue, and the number that its changes raise."""

from __future__ import annotations

import django.core.validators
import django.utils.timezone
import tools_app.bounds
import tools_app.catalogue.wording
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tools_app', '0003_allowed_origin'),
    ]

    operations = [
        migrations.CreateModel(
            name='CatalogueVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(default=0, verbose_name='number')),
            ],
            options={
                'verbose_name': 'version of the catalogue',
                'verbose_name_plural': 'versions of the catalogue',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='CatalogueEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('tools', 'tool'), ('resources', 'resource'), ('templates', 'resource template'), ('prompts', 'prompt')], max_length=16, verbose_name='kind')),
                ('key', models.CharField(help_text='What clients call it by.', max_length=512, verbose_name='name or URI')),
                ('source', models.CharField(default='code', max_length=64, verbose_name='source')),
                ('app_label', models.CharField(blank=True, max_length=100, verbose_name='app')),
                ('enabled', models.BooleanField(default=True, help_text='What is off does not exist for clients.', verbose_name='on')),
                ('missing_since', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='code gone since')),
                ('title', models.CharField(blank=True, max_length=200, validators=[tools_app.catalogue.wording.validate_visible], verbose_name='title')),
                ('description', models.TextField(blank=True, max_length=20000, validators=[tools_app.catalogue.wording.validate_visible], verbose_name='description')),
                ('argument_descriptions', models.JSONField(blank=True, default=dict, validators=[tools_app.catalogue.wording.validate_argument_descriptions], verbose_name='descriptions of arguments')),
                ('code', models.JSONField(default=dict, editable=False, verbose_name='as the code has it')),
                ('tags', models.JSONField(blank=True, null=True, validators=[tools_app.catalogue.wording.validate_tags], verbose_name='tags')),
                ('permission', models.CharField(blank=True, help_text='What Django must grant to the user of a token, such as shop.view_order.', max_length=255, validators=[tools_app.catalogue.wording.validate_permission], verbose_name='permission')),
                ('scope', models.CharField(blank=True, help_text='What a token must grant, such as tools:call:refund.', max_length=255, validators=[tools_app.catalogue.wording.validate_scope], verbose_name='scope')),
                ('rate', models.CharField(blank=True, max_length=20, validators=[tools_app.bounds.validate_rate], verbose_name='rate')),
                ('timeout_s', models.FloatField(blank=True, help_text='How long one call may take.', null=True, validators=[django.core.validators.MinValueValidator(0.001), django.core.validators.MaxValueValidator(86400)], verbose_name='deadline in seconds')),
                ('visibility', models.CharField(choices=[('listed', 'in the lists'), ('unlisted', 'only to those who know its name')], default='listed', max_length=16, verbose_name='shown')),
                ('annotations', models.JSONField(blank=True, null=True, validators=[tools_app.catalogue.wording.validate_annotations], verbose_name='annotations')),
                ('spec', models.JSONField(blank=True, default=dict, verbose_name='content')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('changed_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
            ],
            options={
                'verbose_name': 'catalogue entry',
                'verbose_name_plural': 'catalogue entries',
                'ordering': ['kind', 'key'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='tools_app_catalogue_kind_key', violation_error_message='There is an entry of this name already.')],
            },
        ),
    ]
