-- The rows of a company, in the order in which they refer to one another. Parameters: customers, now, managers (ids).
-- `dice` is chance that falls the same way each time; `share` the same between 0 and 1; `pick` one of some words.
-- What managers look after is as much whatever the size of the company: a book is what one person can work on.

CREATE FUNCTION pg_temp.dice(n bigint, salt bigint, sides bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE
    RETURN (hashint8(n * 7919 + salt * 104729)::bigint & 2147483647) %% sides;

CREATE FUNCTION pg_temp.share(n bigint, salt bigint) RETURNS float8 IMMUTABLE PARALLEL SAFE
    RETURN pg_temp.dice(n, salt, 2147483647) / 2147483647.0;

CREATE FUNCTION pg_temp.pick(words text[], n bigint, salt bigint) RETURNS text IMMUTABLE PARALLEL SAFE
    RETURN words[1 + pg_temp.dice(n, salt, cardinality(words))];

CREATE FUNCTION pg_temp.first_name(n bigint) RETURNS text IMMUTABLE PARALLEL SAFE
    RETURN pg_temp.pick('{Ada,Aino,Amir,Ana,Arjun,Astrid,Ben,Carla,Chiara,Daan,Elif,Emil,Emma,Farah,Felix,Freya,Gita,Hanna,Hugo,Ines,Ivan,Jana,Jonas,Julia,Karim,Lars,Layla,Lina,Luca,Mara,Marco,Mila,Nadia,Nils,Nora,Olga,Omar,Oskar,Pia,Priya,Rania,Rosa,Rui,Sam,Sara,Silas,Sofia,Sven,Tara,Theo,Tomas,Vera,Wanda,Yara,Yusuf,Zoe}', n, 1);

CREATE FUNCTION pg_temp.surname(n bigint) RETURNS text IMMUTABLE PARALLEL SAFE
    RETURN pg_temp.pick('{Al,Bel,Bran,Cor,Dal,Den,El,Fal,Gar,Hal,Har,Kel,Lan,Lin,Mar,Mor,Nor,Os,Pen,Quin,Ros,Sel,Stan,Tor,Ul,Ver,Wal,Wes,Win,Yar}', n, 2)
        || pg_temp.pick('{ber,ca,den,do,fer,gi,ken,la,lo,man,mi,na,no,ra,ri,san,ser,ta,ti,va}', n, 3)
        || pg_temp.pick('{beck,by,dale,der,field,ford,gard,ham,ker,ley,lund,man,mont,nen,ner,rup,sen,son,ston,stead,strom,ten,ton,vik,well,wick,witz,wood,worth,zek}', n, 4);

CREATE FUNCTION pg_temp.sentence(n bigint, salt bigint) RETURNS text IMMUTABLE PARALLEL SAFE
    RETURN pg_temp.pick('{Asked about,Was pleased with,Complained about,Wants a quote for,Compared others with,Has a question on,Will decide next month on,Praised}', n, salt)
        || ' ' || pg_temp.pick('{the delivery,the invoice,the yearly plan,the new release,the training,the export,the price,the support,the contract,the warranty,the onboarding,the integration}', n, salt + 1)
        || ' ' || pg_temp.pick('{before the summer,for the second site,with their board,once more,after the audit,for the whole team,because of the budget,as agreed}', n, salt + 2) || '. ';

INSERT INTO customers_product (sku, name, category, price, currency, margin_share, updated_at)
SELECT 'SKU' || n, pg_temp.pick('{Basic,Handy,Solid,Fine,Grand}', n, 1) || ' ' || pg_temp.pick('{lamp,desk,chair,shelf,clock,mug,plan,board}', n, 2) || ' ' || n,
       pg_temp.pick('{Light,Furniture,Kitchen,Office,Services}', n, 3), 5 + pg_temp.dice(n, 4, 200),
       (SELECT currency FROM workspace_workspace), 40, %(now)s
FROM generate_series(1, 500) n;

INSERT INTO customers_customer (id, external_id, kind, name, email, phone, country, language, time_zone, owner_id,
                                is_key_account, persona, source, tags, attributes, joined_at, created_at, updated_at)
SELECT n, 'C' || lpad(n::text, 8, '0'), CASE WHEN company THEN 'company' ELSE 'person' END,
       CASE WHEN company THEN pg_temp.surname(n) || ' ' || pg_temp.pick('{Logistics,Foods,Textiles,Media,Tools,Travel,Energy,Software,Health,Design}', n, 5)
                              || ' ' || pg_temp.pick('{Ltd,GmbH,SA,AB,Inc}', n, 6)
            ELSE pg_temp.first_name(n) || ' ' || pg_temp.surname(n) END,
       CASE WHEN pg_temp.dice(n, 7, 20) > 0 THEN lower(pg_temp.first_name(n) || '.' || pg_temp.surname(n)) || n || '@example.test' ELSE '' END,
       CASE WHEN pg_temp.dice(n, 8, 2) = 0 THEN '+49 30 ' || (1000000 + pg_temp.dice(n, 9, 8999999)) ELSE '' END,
       country, CASE country WHEN 'Germany' THEN 'de' WHEN 'Austria' THEN 'de' WHEN 'France' THEN 'fr' WHEN 'Spain' THEN 'es' ELSE 'en' END, '',
       CASE WHEN n %% step = 0 THEN (%(managers)s::bigint[])[1 + (n / step) %% cardinality(%(managers)s::bigint[])] END,
       n %% step = 0 AND pg_temp.dice(n, 10, 5) = 0, pg_temp.pick('{"","","",Saver,Planner,Explorer}', n, 11),
       pg_temp.pick('{web,shop,fair,partner,call}', n, 12),
       CASE WHEN pg_temp.dice(n, 13, 3) > 0 THEN '{}'
            ELSE ARRAY[pg_temp.pick('{vip,newsletter,wholesale,beta,referred,local,seasonal,press}', n, 14)] END,
       CASE WHEN pg_temp.dice(n, 15, 5) > 0 THEN '{}'
            ELSE jsonb_build_object('tier', pg_temp.pick('{Gold,Silver,Bronze}', n, 16), 'seats', 1 + pg_temp.dice(n, 17, 90)) END,
       joined, joined, joined
FROM (SELECT n, greatest(1, %(customers)s / 5000) AS step, pg_temp.dice(n, 18, 10) < 3 AS company,
             pg_temp.pick('{Germany,Germany,Germany,United Kingdom,United Kingdom,France,France,Spain,Italy,Austria,Poland,Sweden,Japan}', n, 19) AS country,
             %(now)s - (20 + 1480 * pg_temp.share(n, 20)) * interval '1 day' AS joined
      FROM generate_series(1, %(customers)s) n) someone;

SELECT setval(pg_get_serial_sequence('customers_customer', 'id'), %(customers)s);

INSERT INTO customers_consent (customer_id, channel, state, source, proof, changed_at)
SELECT id, 'email', CASE WHEN pg_temp.dice(id, 21, 10) = 0 THEN 'withdrawn' ELSE 'granted' END, 'sign-up', '', joined_at
FROM customers_customer WHERE email <> '' AND pg_temp.dice(id, 22, 10) < 6;

INSERT INTO customers_contact (customer_id, name, role, email, phone, language, time_zone, is_main, source, attributes,
                               created_at, updated_at)
SELECT c.id, pg_temp.first_name(c.id * 3 + k) || ' ' || pg_temp.surname(c.id * 3 + k),
       pg_temp.pick('{Buyer,Managing director,Head of IT,Accounts,Assistant}', c.id, k),
       lower(pg_temp.first_name(c.id * 3 + k)) || k || '@c' || c.id || '.example.test', '', c.language, '', k = 1, 'bench',
       '{}', c.joined_at, c.joined_at
FROM customers_customer c, generate_series(1, 1 + pg_temp.dice(c.id, 23, 3)) k
WHERE c.kind = 'company';

INSERT INTO customers_order (external_id, customer_id, ordered_at, state, amount, refunded, currency, source, created_at)
SELECT 'O' || customer_id || '-' || k, customer_id, at, pg_temp.pick('{completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,completed,refunded,cancelled}', customer_id, 500 + k),
       10 + pg_temp.dice(customer_id, 600 + k, 30000) / 100.0, 0, (SELECT currency FROM workspace_workspace), 'bench', at
FROM (SELECT c.id AS customer_id, k, c.joined_at + (%(now)s - c.joined_at) * pg_temp.share(c.id, 400 + k) AS at
      FROM customers_customer c,
           generate_series(1, (ARRAY[0, 0, 1, 1, 1, 2, 2, 3, 5, 8])[1 + pg_temp.dice(c.id, 24, 10)]) k
      ORDER BY at) o;

INSERT INTO customers_orderline (order_id, position, sku, description, quantity, unit_price)
SELECT o.id, k, p.sku, p.name, 1 + pg_temp.dice(o.id, k, 4), p.price
FROM customers_order o CROSS JOIN generate_series(1, 1 + pg_temp.dice(o.id, 25, 3)) k
JOIN customers_product p ON p.id = (SELECT min(id) FROM customers_product) + pg_temp.dice(o.id, 30 + k, 500);

INSERT INTO customers_subscription (external_id, customer_id, renews_at, notice_days, auto_renews, cancelled_at,
                                    cancel_reason, turns_at, source, updated_at)
SELECT 'S' || id, id, renews_at, 30, TRUE, NULL, '', renews_at, 'bench', joined_at
FROM (SELECT id, joined_at, CASE WHEN pg_temp.dice(id, 27, 4) > 0
                                 THEN %(now)s + (1 + 364 * pg_temp.share(id, 28)) * interval '1 day' END AS renews_at
      FROM customers_customer WHERE pg_temp.dice(id, 26, 4) = 0 AND joined_at < %(now)s - interval '60 days') s;

-- Half of those in force grew once; those that renew no more have ended.
INSERT INTO customers_subscriptionterm (subscription_id, customer_id, valid_from, valid_to, plan, quantity, amount, currency,
                                        interval, interval_count, discount)
SELECT s.id, c.id, c.joined_at + (%(now)s - c.joined_at) * (part - 1) / 3,
       CASE WHEN part < parts OR s.renews_at IS NULL THEN c.joined_at + (%(now)s - c.joined_at) * part / 3 END,
       pg_temp.pick('{Basic,Team,Business}', c.id, 29), part * (1 + pg_temp.dice(c.id, 30, 10)),
       part * (1 + pg_temp.dice(c.id, 30, 10)) * 20, (SELECT currency FROM workspace_workspace),
       pg_temp.pick('{month,month,quarter,year}', c.id, 308), 1, 0
FROM customers_subscription s JOIN customers_customer c ON c.id = s.customer_id,
     LATERAL (SELECT CASE WHEN s.renews_at IS NULL THEN 1 ELSE 1 + pg_temp.dice(c.id, 31, 2) END AS parts) p,
     generate_series(1, parts) part;

INSERT INTO customers_interaction (customer_id, kind, happened_at, contact_id, text, outcome, sentiment, next_step,
                                   author_id, created_at, updated_at)
SELECT id, pg_temp.pick('{call,call,meeting,email,chat,note}', id, 40 + k), at, NULL,
       pg_temp.sentence(id, 50 + 10 * k) || pg_temp.sentence(id, 90 + 10 * k) || CASE WHEN pg_temp.dice(id, 130 + k, 50) = 0 THEN 'Mentioned ' || pg_temp.surname(id + 17) || '.' ELSE '' END,
       '', pg_temp.pick('{good,neutral,bad,"",""}', id, 150 + k), '', COALESCE(owner_id, (%(managers)s::bigint[])[1]), at, at
FROM (SELECT c.id, owner_id, k, joined_at + (%(now)s - joined_at) * pg_temp.share(c.id, 160 + k) AS at
      FROM customers_customer c,
           generate_series(1, CASE WHEN owner_id IS NOT NULL THEN 5 WHEN pg_temp.dice(c.id, 32, 10) < 4 THEN 1 ELSE 0 END) k
      ORDER BY at) i;

INSERT INTO customers_case (customer_id, external_id, subject, priority, state, opened_at, answered_at, resolved_at, rating,
                            rated_at, assignee_id, source, updated_at)
SELECT id, 'T' || id, pg_temp.sentence(id, 200), pg_temp.pick('{low,normal,normal,high,urgent}', id, 201),
       CASE WHEN is_open THEN 'open' ELSE 'resolved' END, at, CASE WHEN NOT is_open THEN at + interval '5 hours' END,
       CASE WHEN NOT is_open THEN at + interval '1 day' END, CASE WHEN rated THEN 1 + pg_temp.dice(id, 202, 5) END,
       CASE WHEN rated THEN at + interval '2 days' END, owner_id, 'bench', at
FROM (SELECT *, NOT is_open AND pg_temp.dice(id, 203, 3) = 0 AS rated,
             %(now)s - CASE WHEN is_open THEN 4 * pg_temp.share(id, 204)
                            ELSE 3 + 700 * pg_temp.share(id, 204) END * interval '1 day' AS at
      FROM (SELECT id, owner_id, pg_temp.dice(id, 205, 30) = 0 AS is_open
            FROM customers_customer WHERE pg_temp.dice(id, 33, 7) = 0) someone) asked;

INSERT INTO customers_task (customer_id, title, reason, state, due_at, origin, created_at, closed_at, assignee_id,
                            updated_at)
SELECT id, pg_temp.pick('{Call them,Send the offer,Agree a date,Look at their usage,Say thank you}', id, 34 + k),
       pg_temp.sentence(id, 220 + 10 * k), CASE WHEN k = 1 THEN 'open' ELSE 'done' END,
       %(now)s + (CASE WHEN k = 1 THEN -3 + 20 * pg_temp.share(id, 36) ELSE -20 - 90 * pg_temp.share(id, 37) END) * interval '1 day',
       '', %(now)s - interval '120 days', CASE WHEN k > 1 THEN %(now)s - interval '15 days' END, owner_id,
       %(now)s - interval '15 days'
FROM customers_customer, generate_series(1, 3) k
WHERE owner_id IS NOT NULL AND pg_temp.dice(id, 35, 4) = 0;

INSERT INTO customers_successplan (customer_id, title, summary, state, agreed_at, created_by_id, created_at)
SELECT id, 'Plan with ' || name, '', 'agreed', %(now)s - interval '60 days', owner_id, %(now)s - interval '70 days'
FROM customers_customer WHERE owner_id IS NOT NULL AND pg_temp.dice(id, 38, 10) = 0;

INSERT INTO customers_milestone (plan_id, title, due_on, state, note, done_at)
SELECT p.id, pg_temp.pick('{Everybody trained,First report,Second site live,Review held}', p.id, k),
       (%(now)s + (30 * k - 70 + 20 * pg_temp.share(p.id, 39)) * interval '1 day')::date, CASE WHEN k < 3 THEN 'done' ELSE 'open' END,
       '', CASE WHEN k < 3 THEN %(now)s - (40 - 10 * k) * interval '1 day' END
FROM customers_successplan p, generate_series(1, 4) k;

-- In the order in which they came in, as a running company has them: one customer's lie far apart.
INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key, routed_at)
SELECT customer_id, kind, at, at, 'bench', CASE kind WHEN 'order.placed' THEN 'order:' || ref ELSE '' END,
       CASE kind WHEN 'order.placed' THEN jsonb_build_object('external_id', 'O' || ref, 'amount', amount::text, 'currency', (SELECT currency FROM workspace_workspace))
                 WHEN 'survey.answered' THEN jsonb_build_object('score', (ARRAY[10, 9, 9, 8, 8, 7, 10, 6, 4, 2])[1 + pg_temp.dice(ref, 300, 10)])
                 WHEN 'case.opened' THEN jsonb_build_object('subject', pg_temp.sentence(customer_id, 200))
                 WHEN 'interaction.logged' THEN '{"by": "A manager", "what": "call"}'
                 WHEN 'usage' THEN '{}' ELSE jsonb_build_object('name', 'Campaign ' || ref %% 40) END,
       kind || ref, at
FROM (SELECT customer_id, 'order.placed' AS kind, ordered_at AS at, id AS ref, amount FROM customers_order WHERE state = 'completed'
      UNION ALL SELECT id, 'customer.created', joined_at, 0, NULL FROM customers_customer
      UNION ALL SELECT customer_id, 'consent.granted', changed_at, 0, NULL FROM customers_consent WHERE state = 'granted'
      UNION ALL SELECT customer_id, 'case.opened', opened_at, id, NULL FROM customers_case
      UNION ALL SELECT customer_id, 'interaction.logged', happened_at, id, NULL FROM customers_interaction
      UNION ALL SELECT id, 'survey.answered', joined_at + (%(now)s - joined_at) * pg_temp.share(id, 301), id, NULL
                FROM customers_customer WHERE pg_temp.dice(id, 302, 5) = 0
      UNION ALL SELECT c.id, (ARRAY['message.sent', 'message.sent', 'message.opened', 'message.clicked'])[1 + pg_temp.dice(c.id * 8 + k, 303, 4)],
                       joined_at + (%(now)s - joined_at) * pg_temp.share(c.id * 8 + k, 304), k, NULL
                FROM customers_customer c, generate_series(1, pg_temp.dice(c.id, 305, 5)) k
      UNION ALL SELECT c.id, 'usage', %(now)s - 0.1 * interval '1 day' - (%(now)s - joined_at) * pg_temp.share(c.id * 1024 + k, 306) ^ 3, k, NULL
                FROM customers_customer c, generate_series(1, (ARRAY[0, 0, 0, 0, 2, 2, 3, 5, 8, 12])[1 + pg_temp.dice(c.id, 307, 10)]) k
      -- one who has used it all day long
      UNION ALL SELECT 1, 'usage', %(now)s - k * interval '20 minutes', 1000000 + k, NULL
                FROM generate_series(1, least(50000, %(customers)s)) k
      ORDER BY at) happened;
