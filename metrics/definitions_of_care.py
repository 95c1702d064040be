"""The definitions of what a book of business is and of what was done for it; see definitions."""

from metrics.definition import Definition, Good, Unit

BOOK_CUSTOMERS = Definition(
    name="book_customers",
    label="Customers",
    unit=Unit.CUSTOMERS,
    good=Good.NEITHER,
    formula="customers of the book",
    text="Whoever has this owner now. Who had it before is not kept: a book is what it is today.",
)
BOOK_KEY_ACCOUNTS = Definition(
    name="book_key_accounts",
    label="Key accounts",
    unit=Unit.CUSTOMERS,
    good=Good.NEITHER,
    formula="customers of the book who are key accounts",
    text="As it is now.",
)
BOOK_POOR_HEALTH = Definition(
    name="book_poor_health",
    label="In poor health",
    unit=Unit.CUSTOMERS,
    good=Good.DOWN,
    formula="customers of the book whose health is poor",
    text="By the bands of the health score, as it is now. Of whom too little is known for a score is not counted.",
)
MRR_RENEWING = Definition(
    name="mrr_renewing",
    label="Renewals in 90 days",
    unit=Unit.MONEY,
    good=Good.NEITHER,
    formula="MRR of contracts that renew or end in the next 90 days",
    text="From now on, of contracts in force, as the renewals board counts them: those of a month or less that renew "
    "by themselves are left out, cancelled ones are in. The MRR is that of the conditions that stand now. Contracts in "
    "other currencies are left out and shown beside it.",
    nothing="none",
)
INTERACTIONS = Definition(
    name="interactions",
    label="Interactions",
    unit=Unit.TIMES,
    good=Good.NEITHER,
    formula="calls, meetings, e-mails and chats in the window",
    text="As colleagues logged them, whoever of them that was. Notes are about somebody and not with them, so they do "
    "not count; removed ones do not either.",
)
TASKS_DONE = Definition(
    name="tasks_done",
    label="Tasks done",
    unit=Unit.TIMES,
    good=Good.NEITHER,
    formula="tasks closed as done in the window",
    text="For these customers, by whomever. Dropped tasks do not count.",
)
NOT_TALKED_TO = Definition(
    name="not_talked_to",
    label="Not talked to for 60 days",
    unit=Unit.CUSTOMERS,
    good=Good.DOWN,
    formula="customers active as the window ends without an interaction in the 60 days before",
    text="No call, meeting, e-mail or chat was logged with them; a note does not count. Who is not active is not "
    "counted.",
    needs_basis=True,
    nothing="nobody active",
)
