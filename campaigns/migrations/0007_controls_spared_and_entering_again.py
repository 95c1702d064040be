"""Launched campaigns go on as they were: whoever has left may enter again at once. Controls are spared by all."""

from django.db import migrations, models

LOCK = """
DROP TRIGGER campaign_content_locked ON campaigns_campaign;
CREATE TRIGGER campaign_content_locked BEFORE UPDATE ON campaigns_campaign FOR EACH ROW
    WHEN (OLD.state <> 'draft' AND
          (NEW.segment_id, NEW.take_present, NEW.not_in_id, NEW.rest_days, NEW.holdout_share, NEW.goal_days,
           NEW.launched_at, NEW.spare_controls, NEW.again_days)
          IS DISTINCT FROM
          (OLD.segment_id, OLD.take_present, OLD.not_in_id, OLD.rest_days, OLD.holdout_share, OLD.goal_days,
           OLD.launched_at, OLD.spare_controls, OLD.again_days))
    EXECUTE FUNCTION campaigns_refuse('a launched campaign keeps what it was launched with');
"""
UNLOCK = """
DROP TRIGGER campaign_content_locked ON campaigns_campaign;
CREATE TRIGGER campaign_content_locked BEFORE UPDATE ON campaigns_campaign FOR EACH ROW
    WHEN (OLD.state <> 'draft' AND
          (NEW.segment_id, NEW.take_present, NEW.not_in_id, NEW.rest_days, NEW.holdout_share, NEW.goal_days, NEW.launched_at)
          IS DISTINCT FROM
          (OLD.segment_id, OLD.take_present, OLD.not_in_id, OLD.rest_days, OLD.holdout_share, OLD.goal_days, OLD.launched_at))
    EXECUTE FUNCTION campaigns_refuse('a launched campaign keeps what it was launched with');
"""
AGAIN = "Who was in it may enter again so many days after entering. Empty: never; 0: once they have left it."


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0006_attempts_updated_in_place")]
    operations = [
        migrations.AddField(
            model_name="campaign",
            name="spare_controls",
            field=models.BooleanField(
                default=True, help_text="Leave out customers whom another campaign holds out, until it has judged them."
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="again_days",
            field=models.PositiveSmallIntegerField(blank=True, default=0, help_text=AGAIN, null=True),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="again_days",
            field=models.PositiveSmallIntegerField(blank=True, default=90, help_text=AGAIN, null=True),
        ),
        migrations.RunSQL(LOCK, UNLOCK),
    ]
