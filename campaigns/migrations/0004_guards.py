"""What a message, an enrolment, an attempt and a launched campaign may never do, whoever writes the SQL."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION campaigns_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;
"""

MESSAGE = """
CREATE FUNCTION campaigns_message_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) <> ALL (ARRAY[
        'pending>claimed', 'claimed>pending', 'claimed>sending',
        'sending>sent', 'sending>failed', 'sending>pending', 'sending>unknown',
        'pending>suppressed', 'pending>expired', 'pending>cancelled',
        'claimed>suppressed', 'claimed>expired', 'claimed>cancelled',
        'unknown>sent', 'unknown>failed'
    ]) THEN
        RAISE EXCEPTION 'a message cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER message_moves BEFORE UPDATE ON campaigns_message FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION campaigns_message_moves();
CREATE TRIGGER message_begins BEFORE INSERT ON campaigns_message FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM 'pending') EXECUTE FUNCTION campaigns_refuse('a message begins as pending');
CREATE TRIGGER message_stays_itself BEFORE UPDATE ON campaigns_message FOR EACH ROW
    WHEN ((NEW.id, NEW.dedupe_key, NEW.customer_id, NEW.step_id, NEW.enrolment_id, NEW.channel)
          IS DISTINCT FROM (OLD.id, OLD.dedupe_key, OLD.customer_id, OLD.step_id, OLD.enrolment_id, OLD.channel))
    EXECUTE FUNCTION campaigns_refuse('a message stays the same customer''s and the same step''s');
"""

ENROLMENT = """
CREATE TRIGGER enrolment_keeps_arm BEFORE UPDATE ON campaigns_enrolment FOR EACH ROW
    WHEN ((NEW.arm, NEW.campaign_id, NEW.customer_id, NEW.occurrence, NEW.entered_at)
          IS DISTINCT FROM (OLD.arm, OLD.campaign_id, OLD.customer_id, OLD.occurrence, OLD.entered_at))
    EXECUTE FUNCTION campaigns_refuse('an enrolment keeps its arm');
"""

ATTEMPT = """
CREATE TRIGGER attempt_outcome_once BEFORE UPDATE ON campaigns_attempt FOR EACH ROW
    WHEN (OLD.outcome <> '' OR NEW.outcome = ''
          OR (NEW.id, NEW.message_id, NEW.token, NEW.started_at)
             IS DISTINCT FROM (OLD.id, OLD.message_id, OLD.token, OLD.started_at))
    EXECUTE FUNCTION campaigns_refuse('an attempt gets its outcome once, and nothing else changes');
CREATE TRIGGER attempt_stays BEFORE DELETE ON campaigns_attempt FOR EACH ROW
    EXECUTE FUNCTION campaigns_refuse('an attempt is never deleted');
"""

CAMPAIGN = """
CREATE FUNCTION campaigns_campaign_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state || '>' || NEW.state) <> ALL (ARRAY[
        'draft>running', 'running>paused', 'paused>running', 'running>finished', 'paused>finished'
    ]) THEN
        RAISE EXCEPTION 'a campaign cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaign_moves BEFORE UPDATE ON campaigns_campaign FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION campaigns_campaign_moves();
CREATE TRIGGER campaign_content_locked BEFORE UPDATE ON campaigns_campaign FOR EACH ROW
    WHEN (OLD.state <> 'draft' AND
          (NEW.segment_id, NEW.take_present, NEW.not_in_id, NEW.rest_days, NEW.holdout_share, NEW.goal_days, NEW.launched_at)
          IS DISTINCT FROM
          (OLD.segment_id, OLD.take_present, OLD.not_in_id, OLD.rest_days, OLD.holdout_share, OLD.goal_days, OLD.launched_at))
    EXECUTE FUNCTION campaigns_refuse('a launched campaign keeps what it was launched with');
CREATE FUNCTION campaigns_step_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM campaigns_campaign WHERE id = OLD.campaign_id AND state <> 'draft') THEN
        RAISE EXCEPTION 'a launched campaign keeps its e-mail' USING ERRCODE = 'check_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER step_locked BEFORE UPDATE OR DELETE ON campaigns_emailstep FOR EACH ROW
    EXECUTE FUNCTION campaigns_step_locked();
"""

UNDO = """
DROP TRIGGER step_locked ON campaigns_emailstep;
DROP TRIGGER campaign_content_locked ON campaigns_campaign;
DROP TRIGGER campaign_moves ON campaigns_campaign;
DROP TRIGGER attempt_stays ON campaigns_attempt;
DROP TRIGGER attempt_outcome_once ON campaigns_attempt;
DROP TRIGGER enrolment_keeps_arm ON campaigns_enrolment;
DROP TRIGGER message_stays_itself ON campaigns_message;
DROP TRIGGER message_begins ON campaigns_message;
DROP TRIGGER message_moves ON campaigns_message;
DROP FUNCTION campaigns_step_locked();
DROP FUNCTION campaigns_campaign_moves();
DROP FUNCTION campaigns_message_moves();
DROP FUNCTION campaigns_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_editing_and_resending")]
    operations = [migrations.RunSQL(REFUSE + MESSAGE + ENROLMENT + ATTEMPT + CAMPAIGN, UNDO)]
