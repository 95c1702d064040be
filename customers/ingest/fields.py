"""The fields that a file's columns can become, for each kind of file. The name of a field is its column in staging."""

from customers.custom.definitions import defined
from customers.events.telling import MOST_SAID, TOLD
from customers.ingest import fields_of_work, headers
from customers.ingest.field import CUSTOM, Field, Reads, plain
from customers.models import CustomField
from customers.models.imports import ImportKind

#: What the lines of an order say each for itself; all else mostly repeats from one to the next.
OF_LINES = ("sku", "description", "quantity", "unit_price")


def _customer(required: bool) -> tuple[Field, ...]:
    """What a file of any kind can say about a customer."""
    return (
        Field(
            "customer_id",
            "Customer id",
            Reads.ID,
            200,
            headers.CUSTOMER_ID + (("id", "userid") if required else ()),
            required,
            hint="The id your other systems know them by.",
        ),
        Field("name", "Customer's name", Reads.TEXT, 300, headers.NAME),
        Field("email", "E-mail", Reads.EMAIL, 254, headers.EMAIL),
        Field("phone", "Phone", Reads.PHONE, 40, headers.PHONE),
        Field("country", "Country", Reads.TEXT, 100, headers.COUNTRY),
        Field("language", "Language", Reads.LANGUAGE, 10, ("language", "locale", "lang")),
        Field(
            "consent",
            "Agreed to e-mail",
            Reads.CONSENT,
            names=("acceptsemailmarketing", "acceptsmarketing", "consent", "optin", "subscribed", "newsletter"),
            hint="yes or no. A file never undoes an unsubscribe.",
        ),
        Field(
            "sms_consent",
            "Agreed to text messages",
            Reads.CONSENT,
            names=("acceptssmsmarketing", "smsconsent", "smsoptin"),
            hint="yes or no. A file never undoes an opt-out.",
        ),
        Field("consent_source", "Where they agreed", Reads.TEXT, 100, ("consentsource", "optinsource")),
        Field("consent_proof", "What proves it", Reads.TEXT, 200, ("consentproof", "optinproof")),
        Field("consent_at", "When they agreed or opted out", Reads.INSTANT, names=("consentat", "consentdate")),
        Field(
            "source",
            "Source",
            Reads.TEXT,
            100,
            ("source", "leadsource", "originalsource"),
            hint="Empty: the file's name.",
        ),
    )


_CUSTOMERS = (
    *_customer(required=True),
    Field("kind", "Company or person", Reads.PARTY, names=("kind", "customertype"), hint="Empty: a person."),
    Field("time_zone", "Time zone", Reads.ZONE, names=("timezone", "tz")),
    Field("owner_id", "Account manager", Reads.OWNER, names=("owner", "owneremail", "accountmanager", "contactowner")),
    Field("team_id", "Team", Reads.TEAM, names=("team", "teamname", "group")),
    Field("is_key_account", "Key account", Reads.YES_NO, names=("keyaccount", "iskeyaccount", "strategic")),
    Field("persona", "Persona", Reads.TEXT, 100, ("persona", "buyerpersona", "hspersona")),
    Field("tags", "Tags", Reads.TAGS, names=("tags", "labels"), hint="With commas or semicolons between them."),
    Field(
        "joined_at",
        "Customer since",
        Reads.INSTANT,
        names=headers.JOINED,
    ),
)

_ORDER = (
    Field(
        "order_id",
        "Order id",
        Reads.ID,
        200,
        ("orderid", "order", "orderno", "ordernumber", "invoiceno", "invoice", "invoiceid", "transactionid"),
        required=True,
    ),
    Field(
        "ordered_at",
        "Ordered at",
        Reads.INSTANT,
        names=(
            "orderedat",
            "orderdate",
            "invoicedate",
            "date",
            "createdat",
            "paidat",
            "purchasedate",
            "transactiondate",
            "datum",
            "bestelldatum",
        ),
        required=True,
    ),
    Field("currency", "Currency", Reads.CURRENCY, names=("currency",), hint="Empty: the workspace's."),
)

_AMOUNT = (
    Field(
        "amount",
        "Amount",
        Reads.NUMBER,
        12,
        ("amount", "total", "ordertotal", "totalamount", "totalprice", "dollars", "revenue", "value", "sum", "betrag"),
        required=True,
    ),
    Field("refunded", "Refunded part", Reads.NUMBER, 12, ("refunded", "refundedamount", "amountrefunded")),
)

_TOTAL = (
    Field("amount", "Order's total", Reads.NUMBER, 12, hint="On any of its lines. Empty: the sum of its lines."),
    Field("refunded", "Refunded part", Reads.NUMBER, 12),
)

_LINE = (
    Field("sku", "Product code", Reads.TEXT, 100, ("sku", "stockcode", "productcode", "productid", "lineitemsku")),
    Field("description", "Product", Reads.TEXT, 500, ("description", "product", "productname", "item", "lineitemname")),
    Field(
        "quantity", "Quantity", Reads.NUMBER, 11, ("quantity", "qty", "units", "lineitemquantity"), hint="Empty: one."
    ),
    Field(
        "unit_price",
        "Price of one",
        Reads.NUMBER,
        12,
        ("unitprice", "price", "itemprice", "lineitemprice"),
        required=True,
    ),
)

_CONTACTS = (
    Field(
        "customer_id",
        "Customer id",
        Reads.ID,
        200,
        ("customerid", "customer", "accountid", "associatedcompanyid", "companyid", "clientid"),
        required=True,
        hint="The id of the customer they belong to, who is there already.",
    ),
    Field(
        "contact_email",
        "Their e-mail",
        Reads.EMAIL,
        254,
        ("contactemail", *headers.EMAIL),
        required=True,
        hint="Tells the people of a customer apart.",
    ),
    Field("contact_name", "Their name", Reads.TEXT, 300, ("contactname", "name", "fullname")),
    Field("role", "Role", Reads.TEXT, 100, ("role", "jobtitle", "title", "position", "function")),
    Field("phone", "Phone", Reads.PHONE, 40, headers.PHONE),
    Field("language", "Language", Reads.LANGUAGE, 10, ("language", "preferredlanguage", "locale", "lang")),
    Field("time_zone", "Time zone", Reads.ZONE, names=("timezone", "tz")),
    Field("birthday", "Birthday", Reads.DAY, names=("birthday", "birthdate", "dateofbirth")),
    Field("main", "Main contact", Reads.YES_NO, names=("maincontact", "main", "primarycontact", "primary")),
    Field(
        "consent",
        "Agreed to e-mail",
        Reads.CONSENT,
        names=("acceptsemailmarketing", "acceptsmarketing", "consent", "optin", "subscribed", "newsletter"),
        hint="yes or no. A file never undoes an opt-out.",
    ),
    Field("consent_source", "Where they agreed", Reads.TEXT, 100, ("consentsource", "optinsource")),
)

_SUBSCRIPTION = (
    Field(
        "subscription_id",
        "Subscription id",
        Reads.ID,
        200,
        ("subscriptionid", "subscription", "contractid", "contractno", "id"),
        required=True,
    ),
    Field("plan", "Plan", Reads.TEXT, 100, ("plan", "planname", "product", "contract", "tier"), required=True),
    Field("quantity", "Quantity", Reads.WHOLE, 6, ("quantity", "seats", "licenses", "qty"), hint="Empty: one."),
    Field(
        "amount",
        "Amount",
        Reads.NUMBER,
        10,
        ("amount", "price", "monthlycharges", "monthlyfee", "mrr", "planamount"),
        required=True,
        hint="For the whole quantity and one interval, without tax, before the discount.",
    ),
    Field(
        "unit_amount",
        "Amount for one",
        Reads.NUMBER,
        10,
        ("unitamount", "unitprice", "priceperseat", "priceperunit"),
        hint="Where the file has no amount for the whole quantity.",
    ),
    Field("currency", "Currency", Reads.CURRENCY, names=("currency",), hint="Empty: the workspace's."),
    Field("interval", "Interval", Reads.INTERVAL, names=("interval", "billingperiod", "planinterval")),
    Field("interval_count", "Every so many intervals", Reads.WHOLE, 2, ("intervalcount", "planintervalcount")),
    Field("discount", "Discount in %", Reads.PERCENT, names=("discount", "discountpercent", "percentoff")),
    Field(
        "started_at",
        "Started",
        Reads.INSTANT,
        names=("startedat", "startdate", "start", "startdateutc", "createdutc", "created"),
    ),
    Field(
        "months",
        "Months so far",
        Reads.WHOLE,
        4,
        ("tenure", "tenuremonths", "monthsactive"),
        hint="Where the file has no start: so many months before the day it tells of.",
    ),
    Field("ended_at", "Ended", Reads.INSTANT, names=("endedat", "enddate", "canceledat", "cancelledat", "end")),
    Field(
        "ended",
        "Has ended",
        Reads.YES_NO,
        names=("churn", "churned", "cancelled", "canceled"),
        hint="Where the file has no end: yes means with the day it tells of.",
    ),
    Field("as_of", "The day the file tells of", Reads.INSTANT, names=("asof", "snapshot", "snapshotdate")),
    Field("renews_at", "Renews", Reads.INSTANT, names=("renewsat", "renewaldate", "currentperiodend", "termend")),
    Field("notice_days", "Notice period in days", Reads.WHOLE, 4, ("noticedays", "noticeperiod")),
    Field("auto_renews", "Renews by itself", Reads.YES_NO, names=("autorenews", "autorenew", "autorenewal")),
    Field("cancel_reason", "Reason of the cancellation", Reads.TEXT, 200, ("cancelreason", "churnreason", "reason")),
)

_PRODUCT = (
    Field("sku", "Product code", Reads.ID, 100, ("sku", "stockcode", "productcode", "productid", "id"), required=True),
    Field("name", "Name", Reads.TEXT, 300, ("name", "title", "product", "productname", "description"), required=True),
    Field("category", "Category", Reads.TEXT, 100, ("category", "type", "producttype", "group")),
    Field("price", "Price", Reads.NUMBER, 12, ("price", "unitprice", "listprice")),
    Field("currency", "Currency", Reads.CURRENCY, names=("currency",), hint="Empty: the workspace's."),
    Field("margin_share", "Margin in %", Reads.PERCENT, names=("margin", "marginpercent", "marginshare")),
    Field(
        "upgrades_to", "Upgrades to", Reads.CODES, names=("upgradesto", "upgrade"), hint="Codes, with commas between."
    ),
    Field(
        "goes_with", "Goes with", Reads.CODES, names=("goeswith", "related", "crosssell"), hint="Codes, with commas."
    ),
)

_EVENT = (
    Field(
        "event_id",
        "Reference",
        Reads.ID,
        100,
        ("eventid", "insertid", "messageid", "reference", "key", "id"),
        hint="What the other system knows it by. Without one, rows that say the same of a customer are one event.",
    ),
    Field("what", "What happened", Reads.TEXT, 100, headers.EVENT, hint="In words, as the timeline says it."),
    Field(
        "kind",
        "Kind",
        Reads.CHOICE,
        names=("kind", "eventkind", "eventtype"),
        hint="“usage” counts as use of the product. Empty: “reported”.",
        choices=TOLD,
    ),
    Field("occurred_at", "When", Reads.INSTANT, names=headers.EVENT_AT, required=True),
    Field(
        "payload",
        "All it says",
        Reads.OBJECT,
        MOST_SAID,
        ("payload", "properties", "data"),
        hint="A JSON object. Segments and campaigns can ask about its members.",
    ),
    *fields_of_work.WHOSE,
)

FIELDS: dict[str, tuple[Field, ...]] = {
    ImportKind.CUSTOMERS: _CUSTOMERS,
    ImportKind.ORDERS: (*_ORDER, *_AMOUNT, *_customer(required=False)),
    ImportKind.ORDER_LINES: (*_ORDER, *_LINE, *_TOTAL, *_customer(required=False)),
    ImportKind.CONTACTS: _CONTACTS,
    ImportKind.SUBSCRIPTIONS: (*_SUBSCRIPTION, *_customer(required=True)),
    ImportKind.PRODUCTS: _PRODUCT,
    ImportKind.CASES: (*fields_of_work.CASE, *_customer(required=True)),
    ImportKind.INTERACTIONS: fields_of_work.INTERACTION,
    ImportKind.TASKS: fields_of_work.TASK,
    ImportKind.EVENTS: _EVENT,
}


#: Files that hold orders, and so customers who placed them.
WITH_ORDERS = (ImportKind.ORDERS, ImportKind.ORDER_LINES)
#: Files that are about customers who are there already, and make none.
OF_KNOWN = (ImportKind.CONTACTS, ImportKind.INTERACTIONS, ImportKind.TASKS, ImportKind.EVENTS)
#: Files whose other columns can be kept under their own names, and as what.
KEEPING: dict[str, str] = {
    ImportKind.CUSTOMERS: "They become attributes of the customer, under their own names.",
    ImportKind.EVENTS: "They become what the event says, under their own names.",
}
#: The field that names a customer by their id.
BY_ID = "customer_id"
_READS = {
    CustomField.Type.TEXT: (Reads.LINE, 300),
    CustomField.Type.LONG_TEXT: (Reads.TEXT, 10_000),
    CustomField.Type.NUMBER: (Reads.NUMBER, 11),
    CustomField.Type.MONEY: (Reads.NUMBER, 11),
    CustomField.Type.DATE: (Reads.DAY, 0),
    CustomField.Type.YES_NO: (Reads.YES_NO, 0),
    CustomField.Type.CHOICE: (Reads.CHOICE, 0),
    CustomField.Type.CHOICES: (Reads.CHOICES, 0),
    CustomField.Type.LINK: (Reads.LINK, 2_000),
}
#: Of which kinds of file custom fields can be filled, and what the fields are about.
_ABOUT: dict[str, str] = {
    ImportKind.CUSTOMERS: CustomField.About.CUSTOMER,
    ImportKind.CONTACTS: CustomField.About.CONTACT,
}


def targets(kind: str) -> tuple[Field, ...]:
    """Everything that columns of a kind of file can become: the kind's own fields, then the custom ones in use."""
    about = _ABOUT.get(kind)
    return (*FIELDS[kind], *(map(_custom, defined(about)) if about else ()))


def _custom(field: CustomField) -> Field:
    reads, limit = _READS[CustomField.Type(field.type)]
    names = tuple({plain(field.label), plain(field.key)})
    return Field(CUSTOM + field.key, field.label, reads, limit, names, hint=field.help, choices=tuple(field.choices))
