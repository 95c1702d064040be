"""Two customers with one address are one person to a campaign: each step goes there for one of them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0008_merged_customers'),
        ('customers', '0027_imports_are_recognised'),
    ]

    operations = [
        migrations.CreateModel(
            name='Recipient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(db_collation='C', help_text='In small letters.', max_length=254)),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.customer')),
                ('step', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='campaigns.emailstep')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('step', 'address'), name='step_once_per_address')],
            },
        ),
        # Of what was written before: to whoever was first.
        migrations.RunSQL(
            """
            INSERT INTO campaigns_recipient (step_id, address, customer_id)
            SELECT DISTINCT ON (step_id, LOWER(address)) step_id, LOWER(address), customer_id FROM campaigns_message
            WHERE address <> '' AND channel = 'email' ORDER BY step_id, LOWER(address), id
            """,
            migrations.RunSQL.noop,
        ),
    ]
