"""Values of custom fields are of their type, whoever writes the SQL."""

from django.db import migrations

FITS = r"""
CREATE FUNCTION customers_fits(type text, choices text[], value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE jsonb_typeof(value)
    WHEN 'number' THEN type IN ('number', 'money')
        AND abs(value::numeric) < 1e11 AND value::numeric = round(value::numeric, 4)
    WHEN 'boolean' THEN type = 'yes_no'
    WHEN 'array' THEN type = 'choices' AND jsonb_array_length(value) > 0 AND value <@ to_jsonb(choices)
        AND jsonb_array_length(value) = (SELECT count(DISTINCT one) FROM jsonb_array_elements(value) AS one)
    WHEN 'string' THEN CASE type
        WHEN 'text' THEN value #>> '{}' ~ '\S' AND value #>> '{}' !~ '[\n\r]' AND length(value #>> '{}') <= 300
        WHEN 'long_text' THEN value #>> '{}' ~ '\S' AND length(value #>> '{}') <= 10000
        WHEN 'date' THEN CASE WHEN value #>> '{}' ~ '^\d{4}-\d{2}-\d{2}$' AND pg_input_is_valid(value #>> '{}', 'date')
            THEN (value #>> '{}')::date BETWEEN '1900-01-01' AND '2199-12-31' ELSE FALSE END
        WHEN 'choice' THEN value #>> '{}' = ANY (choices)
        WHEN 'link' THEN value #>> '{}' ~ '^https?://[^\s/?#]+\S*$' AND length(value #>> '{}') <= 2000
        ELSE FALSE END
    ELSE FALSE END
$$;
"""

# The shared lock keeps definitions still while values are compared with them: see customers/custom/definitions.py.
CHECK = """
CREATE FUNCTION customers_check_attributes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7461002);
    SELECT field.label, field.type, said.value INTO wrong
    FROM jsonb_each(NEW.attributes) AS said JOIN customers_customfield AS field
        ON field.about = TG_ARGV[0] AND field.key = said.key
    WHERE NOT customers_fits(field.type, field.choices, said.value) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% is of type % and cannot be %', wrong.label, wrong.type, left(wrong.value::text, 80)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER customer_attributes_given BEFORE INSERT ON customers_customer FOR EACH ROW
    WHEN (NEW.attributes <> '{}') EXECUTE FUNCTION customers_check_attributes('customer');
CREATE TRIGGER customer_attributes_changed BEFORE UPDATE ON customers_customer FOR EACH ROW
    WHEN (NEW.attributes IS DISTINCT FROM OLD.attributes) EXECUTE FUNCTION customers_check_attributes('customer');
"""

UNDO = """
DROP TRIGGER customer_attributes_given ON customers_customer;
DROP TRIGGER customer_attributes_changed ON customers_customer;
DROP FUNCTION customers_check_attributes;
DROP FUNCTION customers_fits;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_custom_fields")]
    operations = [migrations.RunSQL(FITS + CHECK, UNDO)]
