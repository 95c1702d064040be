"""What an offer may never do, and the books that the database itself keeps, whoever writes the SQL."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION loyalty_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;
CREATE FUNCTION loyalty_offer_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state || '>' || NEW.state) <> ALL (ARRAY[
        'asked>granted', 'asked>declined', 'asked>expired', 'asked>withdrawn', 'granted>withdrawn'
    ]) THEN
        RAISE EXCEPTION 'an offer cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'withdrawn' AND OLD.used_at IS NOT NULL THEN
        RAISE EXCEPTION 'an offer that was used stays' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER offer_moves BEFORE UPDATE ON loyalty_offer FOR EACH ROW
    WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION loyalty_offer_moves();
CREATE TRIGGER offer_begins BEFORE INSERT ON loyalty_offer FOR EACH ROW
    WHEN (NEW.state NOT IN ('asked', 'granted')) EXECUTE FUNCTION loyalty_refuse('an offer begins asked or granted');
CREATE TRIGGER offer_stays_itself BEFORE UPDATE ON loyalty_offer FOR EACH ROW
    WHEN ((NEW.id, NEW.kind, NEW.percent, NEW.months, NEW.amount, NEW.plan, NEW.sessions, NEW.cost, NEW.currency,
           NEW.asked_by_id)
          IS DISTINCT FROM (OLD.id, OLD.kind, OLD.percent, OLD.months, OLD.amount, OLD.plan, OLD.sessions, OLD.cost,
           OLD.currency, OLD.asked_by_id))
    EXECUTE FUNCTION loyalty_refuse('an offer stays what was offered');
CREATE TRIGGER offer_granted_once BEFORE UPDATE ON loyalty_offer FOR EACH ROW
    WHEN (OLD.granted_at IS NOT NULL
          AND (NEW.granted_at, NEW.answerable_id, NEW.month) IS DISTINCT FROM (OLD.granted_at, OLD.answerable_id, OLD.month))
    EXECUTE FUNCTION loyalty_refuse('a grant stays as it was');
"""

# The customer's year first, then the person's month: the order in which loyalty/spending.py locks them too.
BOOKS = """
CREATE FUNCTION loyalty_offer_spends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loyalty_budget AS budget (customer_id, begins, currency, spent, ceiling)
    VALUES (NEW.customer_id, date_trunc('year', NEW.month)::date, NEW.currency, NEW.cost, NEW.customer_ceiling)
    ON CONFLICT (customer_id, begins, currency) WHERE customer_id IS NOT NULL
    DO UPDATE SET spent = budget.spent + EXCLUDED.spent, ceiling = EXCLUDED.ceiling;
    INSERT INTO loyalty_budget AS budget (person_id, begins, currency, spent, ceiling)
    VALUES (NEW.answerable_id, NEW.month, NEW.currency, NEW.cost, NEW.month_ceiling)
    ON CONFLICT (person_id, begins, currency) WHERE person_id IS NOT NULL
    DO UPDATE SET spent = budget.spent + EXCLUDED.spent, ceiling = EXCLUDED.ceiling;
    RETURN NULL;
END $$;
CREATE TRIGGER offer_spends_at_once AFTER INSERT ON loyalty_offer FOR EACH ROW
    WHEN (NEW.state = 'granted') EXECUTE FUNCTION loyalty_offer_spends();
CREATE TRIGGER offer_spends AFTER UPDATE ON loyalty_offer FOR EACH ROW
    WHEN (NEW.state = 'granted' AND OLD.state <> 'granted') EXECUTE FUNCTION loyalty_offer_spends();

CREATE FUNCTION loyalty_offer_gives_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE loyalty_budget SET spent = spent - OLD.cost
     WHERE customer_id = OLD.customer_id AND begins = date_trunc('year', OLD.month)::date AND currency = OLD.currency;
    UPDATE loyalty_budget SET spent = spent - OLD.cost
     WHERE person_id = OLD.answerable_id AND begins = OLD.month AND currency = OLD.currency;
    RETURN NULL;
END $$;
CREATE TRIGGER offer_gives_back AFTER UPDATE ON loyalty_offer FOR EACH ROW
    WHEN (OLD.state = 'granted' AND NEW.state <> 'granted') EXECUTE FUNCTION loyalty_offer_gives_back();
"""

UNDO = """
DROP TRIGGER offer_gives_back ON loyalty_offer;
DROP TRIGGER offer_spends ON loyalty_offer;
DROP TRIGGER offer_spends_at_once ON loyalty_offer;
DROP TRIGGER offer_granted_once ON loyalty_offer;
DROP TRIGGER offer_stays_itself ON loyalty_offer;
DROP TRIGGER offer_begins ON loyalty_offer;
DROP TRIGGER offer_moves ON loyalty_offer;
DROP FUNCTION loyalty_offer_gives_back();
DROP FUNCTION loyalty_offer_spends();
DROP FUNCTION loyalty_offer_moves();
DROP FUNCTION loyalty_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [migrations.RunSQL([REFUSE, BOOKS], UNDO)]
