"""Who is to be compared is noticed by the database, whoever writes the SQL; and a merge moves history, nothing else."""

from django.db import migrations

# Once per statement, so that a file of a million customers pays for one more insert and not for a million calls.
NOTICE = """
CREATE FUNCTION customers_notice_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_unmatched (customer_id) SELECT id FROM fresh;
    RETURN NULL;
END $$;
CREATE FUNCTION customers_notice_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_unmatched (customer_id)
    SELECT fresh.id FROM fresh JOIN stale USING (id)
    WHERE (fresh.kind, fresh.name, fresh.email, fresh.phone, fresh.country)
          IS DISTINCT FROM (stale.kind, stale.name, stale.email, stale.phone, stale.country);
    RETURN NULL;
END $$;
CREATE TRIGGER customer_made AFTER INSERT ON customers_customer REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION customers_notice_new();
CREATE TRIGGER customer_changed AFTER UPDATE ON customers_customer REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION customers_notice_changed();
INSERT INTO customers_unmatched (customer_id) SELECT id FROM customers_customer ORDER BY id;
"""

# A row may change hands only from the one to the other of a merge, and only in the transaction that makes or undoes it.
MOVE = """
CREATE FUNCTION customers_may_move(was bigint, becomes bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (
    SELECT FROM customers_merge
    WHERE xact = pg_current_xact_id()::text::bigint
      AND CASE WHEN undone_at IS NULL THEN (loser_id, survivor_id) = (was, becomes)
               ELSE (survivor_id, loser_id) = (was, becomes) END)
$$;
CREATE FUNCTION customers_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.occurred_at, NEW.recorded_at, NEW.source, NEW.ref, NEW.payload)
       IS NOT DISTINCT FROM (OLD.id, OLD.kind, OLD.occurred_at, OLD.recorded_at, OLD.source, OLD.ref, OLD.payload)
       AND customers_may_move(OLD.customer_id, NEW.customer_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an event stays what happened, and to whom' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER event_stays BEFORE UPDATE ON customers_event FOR EACH ROW
    WHEN ((NEW.id, NEW.customer_id, NEW.kind, NEW.occurred_at, NEW.recorded_at, NEW.source, NEW.ref, NEW.dedup_key)
          IS DISTINCT FROM
          (OLD.id, OLD.customer_id, OLD.kind, OLD.occurred_at, OLD.recorded_at, OLD.source, OLD.ref, OLD.dedup_key)
          OR NEW.payload IS DISTINCT FROM OLD.payload)
    EXECUTE FUNCTION customers_event_stays();

CREATE FUNCTION customers_merge_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a merge stays what it was, and is undone once' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER merge_stays BEFORE UPDATE ON customers_merge FOR EACH ROW
    WHEN ((NEW.id, NEW.survivor_id, NEW.loser_id, NEW.loser_external_id, NEW.once, NEW.at, NEW.why)
          IS DISTINCT FROM (OLD.id, OLD.survivor_id, OLD.loser_id, OLD.loser_external_id, OLD.once, OLD.at, OLD.why)
          OR (OLD.undone_at IS NOT NULL AND NEW.undone_at IS DISTINCT FROM OLD.undone_at))
    EXECUTE FUNCTION customers_merge_stays();
"""

UNDO = """
DROP TRIGGER merge_stays ON customers_merge;
DROP FUNCTION customers_merge_stays();
DROP TRIGGER event_stays ON customers_event;
DROP FUNCTION customers_event_stays();
DROP FUNCTION customers_may_move(bigint, bigint);
DROP TRIGGER customer_changed ON customers_customer;
DROP TRIGGER customer_made ON customers_customer;
DROP FUNCTION customers_notice_changed();
DROP FUNCTION customers_notice_new();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0019_duplicates")]
    operations = [migrations.RunSQL(NOTICE + MOVE, UNDO)]
