from django.db import migrations, models


def add_the_first(apps, schema_editor):
    apps.get_model("notes", "Note").objects.create(text="migrated")


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Note",
            [("id", models.BigAutoField(primary_key=True, serialize=False)), ("text", models.TextField())],
        ),
        migrations.RunPython(add_the_first),
    ]
