"""A message and an enrolment change hands with a merge of their customers, and only then (customers, 0020)."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION campaigns_unmerging(customer bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (SELECT FROM customers_merge WHERE xact = pg_current_xact_id()::text::bigint
               AND undone_at IS NOT NULL AND customer IN (loser_id, survivor_id))
$$;
DROP TRIGGER message_stays_itself ON campaigns_message;
CREATE TRIGGER message_stays_itself BEFORE UPDATE ON campaigns_message FOR EACH ROW
    WHEN ((NEW.id, NEW.dedupe_key, NEW.step_id, NEW.enrolment_id, NEW.channel)
          IS DISTINCT FROM (OLD.id, OLD.dedupe_key, OLD.step_id, OLD.enrolment_id, OLD.channel)
          OR (NEW.customer_id <> OLD.customer_id AND NOT customers_may_move(OLD.customer_id, NEW.customer_id)))
    EXECUTE FUNCTION campaigns_refuse('a message stays the same customer''s and the same step''s');
-- What a merge has stopped goes on where the merge is undone.
DROP TRIGGER message_moves ON campaigns_message;
CREATE TRIGGER message_moves BEFORE UPDATE ON campaigns_message FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM OLD.state
          AND NOT (OLD.state = 'cancelled' AND NEW.state = 'pending' AND campaigns_unmerging(OLD.customer_id)))
    EXECUTE FUNCTION campaigns_message_moves();
DROP TRIGGER enrolment_keeps_arm ON campaigns_enrolment;
CREATE TRIGGER enrolment_keeps_arm BEFORE UPDATE ON campaigns_enrolment FOR EACH ROW
    WHEN ((NEW.arm, NEW.campaign_id, NEW.occurrence, NEW.entered_at)
          IS DISTINCT FROM (OLD.arm, OLD.campaign_id, OLD.occurrence, OLD.entered_at)
          OR (NEW.customer_id <> OLD.customer_id AND NOT customers_may_move(OLD.customer_id, NEW.customer_id)))
    EXECUTE FUNCTION campaigns_refuse('an enrolment keeps its arm');
"""

UNDO = """
DROP TRIGGER enrolment_keeps_arm ON campaigns_enrolment;
CREATE TRIGGER enrolment_keeps_arm BEFORE UPDATE ON campaigns_enrolment FOR EACH ROW
    WHEN ((NEW.arm, NEW.campaign_id, NEW.customer_id, NEW.occurrence, NEW.entered_at)
          IS DISTINCT FROM (OLD.arm, OLD.campaign_id, OLD.customer_id, OLD.occurrence, OLD.entered_at))
    EXECUTE FUNCTION campaigns_refuse('an enrolment keeps its arm');
DROP TRIGGER message_moves ON campaigns_message;
CREATE TRIGGER message_moves BEFORE UPDATE ON campaigns_message FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION campaigns_message_moves();
DROP TRIGGER message_stays_itself ON campaigns_message;
CREATE TRIGGER message_stays_itself BEFORE UPDATE ON campaigns_message FOR EACH ROW
    WHEN ((NEW.id, NEW.dedupe_key, NEW.customer_id, NEW.step_id, NEW.enrolment_id, NEW.channel)
          IS DISTINCT FROM (OLD.id, OLD.dedupe_key, OLD.customer_id, OLD.step_id, OLD.enrolment_id, OLD.channel))
    EXECUTE FUNCTION campaigns_refuse('a message stays the same customer''s and the same step''s');
DROP FUNCTION campaigns_unmerging(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0007_controls_spared_and_entering_again"),
        ("customers", "0020_duplicates_are_noticed"),
    ]
    operations = [migrations.RunSQL(GUARDS, UNDO)]
