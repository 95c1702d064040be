"""A change of a contact's address marks their customer: it is something that customers are compared by."""

from django.db import migrations

NOTICE = """
CREATE FUNCTION customers_notice_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_unmatched (customer_id) SELECT DISTINCT customer_id FROM told WHERE email <> '';
    RETURN NULL;
END $$;
CREATE FUNCTION customers_notice_changed_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers_unmatched (customer_id)
    SELECT DISTINCT who FROM fresh JOIN stale USING (id), UNNEST(ARRAY[fresh.customer_id, stale.customer_id]) AS who
    WHERE (fresh.customer_id, fresh.email, fresh.removed_at) IS DISTINCT FROM
          (stale.customer_id, stale.email, stale.removed_at);
    RETURN NULL;
END $$;
CREATE TRIGGER contact_made AFTER INSERT ON customers_contact REFERENCING NEW TABLE AS told
    FOR EACH STATEMENT EXECUTE FUNCTION customers_notice_people();
CREATE TRIGGER contact_gone AFTER DELETE ON customers_contact REFERENCING OLD TABLE AS told
    FOR EACH STATEMENT EXECUTE FUNCTION customers_notice_people();
CREATE TRIGGER contact_changed AFTER UPDATE ON customers_contact REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION customers_notice_changed_people();
INSERT INTO customers_unmatched (customer_id)
SELECT DISTINCT customer_id FROM customers_contact WHERE email <> '' ORDER BY customer_id;
"""
UNDO = """
DROP TRIGGER contact_changed ON customers_contact;
DROP TRIGGER contact_gone ON customers_contact;
DROP TRIGGER contact_made ON customers_contact;
DROP FUNCTION customers_notice_changed_people();
DROP FUNCTION customers_notice_people();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0030_changes_to_many")]
    operations = [migrations.RunSQL(NOTICE, UNDO)]
