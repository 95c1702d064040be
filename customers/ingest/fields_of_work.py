"""What columns can become in files of account managers' work: cases, interactions and tasks."""

from customers.ingest import headers
from customers.ingest.field import Field, Reads

#: Whom it was with, or is for: a customer who is there already.
WHOSE = (
    Field(
        "customer_id",
        "Customer id",
        Reads.ID,
        200,
        (*headers.CUSTOMER_ID, "associatedcompanyid", "associatedcompanyids", "companyid"),
        required=True,
        hint="The id of a customer who is there already.",
    ),
    Field(
        "email",
        "E-mail",
        Reads.EMAIL,
        254,
        ("contactemail", "customeremail", *headers.EMAIL),
        hint="Of the customer, or of somebody there.",
    ),
    Field("phone", "Phone", Reads.PHONE, 40, headers.PHONE),
)

CASE = (
    Field(
        "case_id", "Reference", Reads.ID, 200, ("caseid", "ticketid", "casenumber", "reference", "id"), required=True
    ),
    Field("subject", "Subject", Reads.TEXT, 300, ("subject", "title", "summary"), required=True),
    Field(
        "opened_at", "Opened", Reads.INSTANT, names=("openedat", "createdat", "created", "createdate"), required=True
    ),
    Field("priority", "Priority", Reads.PRIORITY, names=("priority", "severity")),
    Field("answered_at", "First answered", Reads.INSTANT, names=("answeredat", "firstresponseat", "firstreplyat")),
    Field("resolved_at", "Resolved", Reads.INSTANT, names=("resolvedat", "closedat", "solvedat", "closed", "resolved")),
    Field("rating", "Rating, from 1 to 5", Reads.RATING, names=("rating", "csat", "satisfaction", "score")),
    Field("rated_at", "Rated", Reads.INSTANT, names=("ratedat",), hint="Empty: when it was resolved."),
    Field("assignee_id", "Who looks after it", Reads.OWNER, names=("assignee", "assigneeemail", "agent")),
)

INTERACTION = (
    Field(
        "interaction_id",
        "Reference",
        Reads.ID,
        200,
        ("interactionid", "activityid", "engagementid", "callid", "meetingid", "noteid", "eventid", "recordid", "id"),
        required=True,
        hint="What the other system knows it by: the same file again changes nothing.",
    ),
    Field("kind", "What it was", Reads.TALK, names=headers.TALK, hint="Empty: a note."),
    Field("happened_at", "When", Reads.INSTANT, names=headers.TALKED_AT, required=True),
    Field("subject", "Subject", Reads.TEXT, 300, headers.TALK_SUBJECT),
    Field("text", "Text", Reads.TEXT, 9_000, headers.TALK_TEXT, hint="A subject or a text: one of them is needed."),
    Field("outcome", "Outcome", Reads.TEXT, 200, headers.TALK_OUTCOME),
    Field("sentiment", "Sentiment", Reads.MOOD, names=("sentiment", "mood", "tone")),
    Field("next_step", "Next step", Reads.TEXT, 200, ("nextstep", "nextaction", "followup")),
    Field(
        "next_on",
        "Next step by",
        Reads.DAY,
        names=("nextstepby", "nextstepdate", "nextactiondate", "followupdate", "nexton"),
        hint="Empty: in a week. It stands with the interaction and opens no task.",
    ),
    Field(
        "author",
        "Logged by",
        Reads.TEXT,
        254,
        headers.TALK_AUTHOR,
        hint="A colleague's e-mail address; anybody else is kept by name.",
    ),
    *WHOSE,
)

TASK = (
    Field(
        "task_id",
        "Reference",
        Reads.ID,
        200,
        ("taskid", "todoid", "activityid", "recordid", "id"),
        required=True,
        hint="What the other system knows it by: the same file again changes nothing.",
    ),
    Field("title", "What to do", Reads.TEXT, 300, headers.TASK_TITLE, required=True, hint="200 characters are kept."),
    Field("reason", "Why", Reads.TEXT, 9_000, headers.TASK_REASON, hint="500 characters are kept."),
    Field(
        "due_at",
        "Due",
        Reads.INSTANT,
        names=headers.TASK_DUE,
        hint="A day without a time is due at the end of its work. Empty: in a week, or when it was done.",
    ),
    Field(
        "progress",
        "Open or done",
        Reads.PROGRESS,
        names=headers.TASK_STATE,
        hint="Empty: open, or done where it says when.",
    ),
    Field(
        "closed_at",
        "Done at",
        Reads.INSTANT,
        names=("closedat", "doneat", "donedate", "completedat", "completeddatetime", "completiondate", "finishedat"),
        hint="Where it is done and this is empty: when it was due, or as the file comes in.",
    ),
    Field(
        "assignee_id",
        "For",
        Reads.COLLEAGUE,
        names=headers.TASK_FOR,
        hint="A colleague's e-mail address or full name. Empty: whoever looks after the customer.",
    ),
    Field("written_at", "Written", Reads.INSTANT, names=("createdat", "createddate", "createdate", "created")),
    *WHOSE,
)
