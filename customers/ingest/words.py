"""How texts become values, in PostgreSQL's words: those of fields that need no more of a mapping than their text."""

from customers.ingest.field import Reads
from retention.common.phone_digits import DIGITS, LEAST

# Tests of a text's shape before PostgreSQL reads it, which alone would take "now", "Jan 5" or "NaN" too. They are made
# of LIKE and of classes of letters that must not occur, which cost a fraction of a full pattern.
DAY = "({0} LIKE '____-_%-_%' OR {0} LIKE '____/_%/_%' OR {0} LIKE '____._%._%')"
# A dash after the day begins an offset, also where no time stands before it.
NO_OFFSET = "{0} NOT LIKE '____-%-%-%' AND ({0} LIKE '____-%' OR {0} NOT LIKE '%-%')"
LOCAL = DAY + " AND {0} !~ '[^-0-9/.: TAaPpMm]' AND " + NO_OFFSET
# After a letter PostgreSQL takes the sign of an offset for its opposite, as POSIX does.
ZONED = DAY + " AND {0} !~ '[^-+0-9/.: TZUCGM]|[A-Z] *[-+]' AND {0} LIKE '%:%'"
YES = ["yes", "y", "true", "1", "granted", "subscribed", "opted in", "ja", "oui"]
NO = ["no", "n", "false", "0", "withdrawn", "unsubscribed", "opted out", "cleaned", "nein", "non"]

# {} is the field's text.
WORDS = {
    Reads.EMAIL: "CASE WHEN {0} LIKE '%_@_%._%' AND {0} NOT LIKE '%@%@%' AND length({0}) <= 254"
    " AND {0} !~ '[\\s<>,;:\"()\\[\\]\\\\]' THEN {0} END",
    Reads.CURRENCY: "CASE WHEN upper({0}) = ANY({currencies}::text[]) THEN upper({0}) END",
    # What people type for numbers is kept as they typed it; no number has fewer digits.
    Reads.PHONE: 'CASE WHEN length({0}) <= 40 AND {0} COLLATE "C"'
    f" ~ '([{DIGITS}][^{DIGITS}]*){{{{{LEAST}}}}}' THEN {{0}} END",
    Reads.LANGUAGE: "coalesce({languages}::jsonb ->> lower({0}), CASE WHEN length({0}) <= {limit} THEN {0} END)",
    Reads.ZONE: "CASE WHEN {0} IN (SELECT name FROM import_zones) THEN {0} END",
    Reads.PARTY: "CASE WHEN lower({0}) IN ('company', 'person') THEN lower({0}) END",
    Reads.CONSENT: "CASE WHEN lower({0}) = ANY({yes}) THEN 'granted' WHEN lower({0}) = ANY({no}) THEN 'withdrawn' END",
    Reads.TAGS: "CASE WHEN {0} !~ '[^,;]{{51,}}'"
    " THEN array_remove(regexp_split_to_array(translate({0}, '\"', ''), '\\s*[,;]\\s*'), '')::varchar[] END",
    Reads.LINE: "CASE WHEN length({0}) <= 300 AND {0} !~ '[\\n\\r]' THEN {0} END",
    Reads.DAY: "CASE WHEN " + DAY + " AND {0} !~ '[^-0-9/.]' AND pg_input_is_valid({0}, 'date') THEN {0}::date END",
    Reads.YES_NO: "CASE WHEN lower({0}) = ANY({yes}) THEN TRUE WHEN lower({0}) = ANY({no}) THEN FALSE END",
    Reads.INTERVAL: "CASE lower({0}) WHEN 'weekly' THEN 'week' WHEN 'monthly' THEN 'month' WHEN 'quarterly' THEN"
    " 'quarter' WHEN 'yearly' THEN 'year' WHEN 'annual' THEN 'year' WHEN 'annually' THEN 'year'"
    " ELSE substring(lower({0}) FROM '^(week|month|quarter|year)s?$') END",
    Reads.CODES: "CASE WHEN {0} !~ '[^,;]{{101,}}'"
    r" THEN array_remove(regexp_split_to_array({0}, '\s*[,;]\s*'), '')::varchar[] END",
    Reads.PRIORITY: "substring(lower({0}) FROM '^(low|normal|high|urgent)$')",
    Reads.RATING: "substring({0} FROM '^[1-5]$')::smallint",
    Reads.LINK: "CASE WHEN {0} ~ '^https?://[^\\s/?#]+\\S*$' AND length({0}) <= 2000 THEN {0} END",
    # As systems call them: "LOGGED_CALL", "INCOMING_EMAIL", "ListEmail"; a to-do that is done is told as a note.
    Reads.TALK: "CASE WHEN {0} ~* '^(|.*[ _-])(call|phone|telephone|anruf)$' THEN 'call'"
    " WHEN {0} ~* '^(|.*[ _-])(meeting|event|visit|appointment|demo|termin)$' THEN 'meeting'"
    " WHEN {0} ~* '^(|.*[ _-]|list|e-)(email|mail)$' THEN 'email'"
    " WHEN {0} ~* '^(|.*[ _-])(chat|sms|whatsapp|message|conversation)$' THEN 'chat'"
    " WHEN {0} ~* '^(|.*[ _-])(note|notes|comment|task|other|notiz)$' THEN 'note' END",
    Reads.MOOD: "CASE WHEN lower({0}) IN ('good', 'positive') THEN 'good' WHEN lower({0}) IN ('neutral', 'mixed')"
    " THEN 'neutral' WHEN lower({0}) IN ('bad', 'negative') THEN 'bad' END",
    # As systems call them: "NOT_STARTED", "Waiting on someone else"; or whether it is closed, as yes or no.
    Reads.PROGRESS: "CASE WHEN {0} ~* '^(done|completed?|closed|finished|resolved|erledigt)$'"
    " OR lower({0}) = ANY({yes}) THEN 'done' WHEN {0} ~* '^(dropped|cancell?ed|skipped|ignored)$' THEN 'dropped'"
    " WHEN {0} ~* '^(open|new|active|pending|to.?do|not.started|in.progress|waiting.*|deferred|offen)$'"
    " OR lower({0}) = ANY({no}) THEN 'open' END",
    Reads.OBJECT: "CASE WHEN length({0}) <= {limit} AND pg_input_is_valid({0}, 'jsonb')"
    " THEN CASE WHEN jsonb_typeof({0}::jsonb) = 'object' THEN {0}::jsonb END END",
    Reads.COLLEAGUE: "(SELECT min(id) FROM workspace_user WHERE lower(email) = lower({0})"
    " OR lower(btrim(concat(first_name, ' ', last_name))) = lower({0}) HAVING count(*) = 1)",
    Reads.TEAM: "(SELECT id FROM customers_team AS team WHERE lower(team.name) = lower({0}))",
    Reads.OWNER: "(SELECT id FROM workspace_user WHERE lower(workspace_user.email) = lower({0}))",
}


# The choice as the list writes it, whatever its case in the file; of several, those of the list in its order, or NULL
# where one is none of them.
LISTS = {
    Reads.CHOICE: "(SELECT one FROM unnest({choices}::text[]) AS one WHERE lower(one) = lower({0}))",
    Reads.CHOICES: "(SELECT array_agg(DISTINCT one) FROM unnest({choices}::text[]) AS one,"
    " regexp_split_to_table({0}, '\\s*[,;]\\s*') AS said WHERE lower(one) = lower(said)"
    " HAVING count(DISTINCT lower(said)) = (SELECT count(DISTINCT lower(said)) FROM"
    " regexp_split_to_table({0}, '\\s*[,;]\\s*') AS said WHERE said <> ''))",
}
