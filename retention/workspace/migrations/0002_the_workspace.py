from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("workspace", "Workspace").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("workspace", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
