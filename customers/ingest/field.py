"""A field that a file's columns can become: how its texts are read, and the headers that it goes by elsewhere."""

import re
from dataclasses import dataclass
from enum import Enum, unique

#: What names of custom fields begin with, before their key.
CUSTOM = "custom_"


@unique
class Reads(Enum):
    """How a text becomes a value; what a refused one is told it should have been."""

    ID = "an id of at most {limit} characters"
    TEXT = "a text of at most {limit} characters"
    EMAIL = "an e-mail address"
    NUMBER = "a number written as {number}"
    INSTANT = "a date written as {date}"
    CURRENCY = "the code of a currency, such as EUR"
    PHONE = "a phone number: five digits at least, {limit} characters at most"
    LANGUAGE = "the name of a language or its code, of {limit} characters at most"
    ZONE = "a time zone such as Europe/Berlin"
    PARTY = "“company” or “person”"
    CONSENT = "“yes” or “no”"
    TAGS = "a list of tags of at most 50 characters"
    OWNER = "the e-mail address of a colleague here"
    TEAM = "the name of a team here"
    LINE = "a text on one line of at most {limit} characters"
    DAY = "a day written as {date}"
    YES_NO = "a plain “yes” or “no”"
    CHOICE = "one of {choices}"
    CHOICES = "a list made of {choices}"
    WHOLE = "a whole number of at most {limit} digits"
    PERCENT = "a number from 0 to 100, written as {number}"
    INTERVAL = "week, month, quarter or year"
    CODES = "a list of product codes of at most 100 characters"
    PRIORITY = "low, normal, high or urgent"
    RATING = "a whole number from 1 to 5"
    LINK = "a link that begins with https:// or http://"
    TALK = "a call, meeting, e-mail, chat or note"
    MOOD = "good, neutral or bad"
    PROGRESS = "open, done or dropped"
    OBJECT = "a JSON object of at most {limit} characters"
    COLLEAGUE = "the e-mail address or the name of one colleague here"


@dataclass(frozen=True)
class Field:
    """A field: `limit` is the most characters of a text, or the most digits of a number before its decimals.

    `names` are headers that other systems give such a column, in lower case, letters and digits only.
    """

    name: str
    label: str
    reads: Reads = Reads.TEXT
    limit: int = 0
    names: tuple[str, ...] = ()
    required: bool = False
    hint: str = ""
    choices: tuple[str, ...] = ()

    @property
    def custom_key(self) -> str:
        """The key of the custom field that this is, or ""."""
        return self.name.removeprefix(CUSTOM) if self.name.startswith(CUSTOM) else ""


def plain(name: str) -> str:
    """A header as it is compared: in lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
