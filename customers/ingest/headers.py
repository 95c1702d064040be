"""Headers that other systems and other languages give to columns, in lower case, letters and digits only."""

CUSTOMER_ID = (
    "customerid",
    "customer",
    "customerno",
    "client",
    "clientid",
    "accountid",
    "contactid",
    "recordid",
    "externalid",
)
NAME = ("name", "customername", "fullname", "company", "companyname", "firma", "kunde", "nom")
EMAIL = (
    "email",
    "emailaddress",
    "customeremail",
    "mail",
    "mailaddress",
    "emailaddr",
    "emailadresse",
    "mailadresse",
    "adressemail",
)
COUNTRY = (
    "country",
    "countryregion",
    "billingcountry",
    "mailingcountry",
    "countrycode",
    "cc",
    "land",
    "nation",
    "pays",
)
PHONE = (
    "phone",
    "phonenumber",
    "mobile",
    "mobilephone",
    "telephone",
    "tel",
    "telno",
    "telefon",
    "telefonnummer",
    "phoneno",
    "handy",
    "cell",
    "cellphone",
)
JOINED = (
    "joinedat",
    "createdat",
    "createdate",
    "created",
    "createddate",
    "signupdate",
    "customersince",
    "optintime",
    "signup",
    "signedup",
    "signedupat",
    "signupat",
    "registered",
    "registeredat",
    "registrationdate",
    "membersince",
    "kundeseit",
    "since",
)
#: Headers of columns that say how an order stands, and words in them that mean it does not count.
STATES = ("status", "state", "orderstatus", "orderstate", "financialstatus", "paymentstatus", "bestellstatus")
STATE_WORDS = {
    **dict.fromkeys(
        ("cancelled", "canceled", "cancel", "void", "voided", "storniert", "storno", "annul", "annule", "annulled"),
        "cancelled",
    ),
    **dict.fromkeys(
        ("refunded", "returned", "chargeback", "chargedback", "erstattet", "rembours", "rembourse"), "refunded"
    ),
}
#: What calls, meetings, mails and notes are told by. What is the same in an export of one kind alone is in its preset.
TALK = ("kind", "type", "activitytype", "interactiontype", "engagementtype", "tasksubtype", "channel")
TALKED_AT = (
    "happenedat",
    "activitydate",
    "hstimestamp",
    "timestamp",
    "datetime",
    "date",
    "when",
    "calldate",
    "meetingdate",
    "starttime",
    "startdatetime",
    "completeddatetime",
    "createdat",
    "createddate",
    "createdate",
    "datum",
)
TALK_SUBJECT = ("subject", "title", "calltitle", "meetingname", "meetingtitle", "emailsubject", "betreff")
TALK_TEXT = (
    "text",
    "body",
    "notes",
    "note",
    "notebody",
    "callnotes",
    "meetingdescription",
    "emailbody",
    "description",
    "comments",
    "fullcomments",
    "content",
    "message",
    "notiz",
)
TALK_OUTCOME = ("outcome", "calloutcome", "meetingoutcome", "calldisposition", "callresult", "result")
TASK_TITLE = ("title", "tasktitle", "task", "taskname", "subject", "todo", "whattodo", "aufgabe")
TASK_REASON = ("reason", "tasknotes", "notes", "note", "description", "body", "text", "comments", "why", "notiz")
TASK_DUE = ("dueat", "duedate", "dueon", "due", "deadline", "faelligam")
TASK_STATE = ("state", "taskstatus", "status", "isclosed", "done", "completed")
TASK_FOR = ("assignee", "assigneeemail", "assignedto", "activityassignedto", "taskowner", "owner", "owneremail")
EVENT = ("event", "eventname", "whathappened", "ereignis")
EVENT_AT = (
    "occurredat",
    "timestamp",
    "eventtime",
    "eventdate",
    "originaltimestamp",
    "happenedat",
    "time",
    "datetime",
    "date",
    "when",
    "createdat",
    "datum",
)
TALK_AUTHOR = ("author", "loggedby", "authoremail", "activityassignedto", "assignedto", "owner", "owneremail", "user")
