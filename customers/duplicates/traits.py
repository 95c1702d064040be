"""What customers are compared by, each in a plain form: how it was typed makes no difference.

An e-mail address without its spaces and capitals; a phone number in E.164; the domain of an address, where it is a
company's own; a name without accents, titles and legal forms, its words in alphabetical order. A name that is
nearly the same has the same skeleton (first letters and consonants) in all its words but one.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

import phonenumbers
from babel import Locale

from customers.models import Customer, MatchKey

Trait = MatchKey.Trait
MOST_WORDS = 5
_HERE = Path(__file__).parent

#: Domains at which anybody can have an address: having one in common says nothing.
FREE_MAIL = frozenset((_HERE / "free_mail.txt").read_text().split())
#: In these a country's name is known.
LANGUAGES = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "cs",
    "sv",
    "da",
    "nb",
    "fi",
    "tr",
    "ru",
    "uk",
    "ar",
    "ja",
    "zh",
    "ko",
)
#: Words of a name that tell nobody from anybody: legal forms, titles, and the like.
EMPTY_WORDS = frozenset((_HERE / "empty_words.txt").read_text().split())


def keys_of(customer: Customer, people: Iterable[str] = ()) -> set[tuple[int, int]]:
    """The traits of a customer, `people` being their contacts' addresses: a trait and the hash of its plain form."""
    told = [*_plain(customer), *((Trait.EMAIL, email(address)) for address in people)]
    return {(trait.value, hashed(plain)) for trait, plain in told if plain}


def _plain(customer: Customer) -> Iterator[tuple[Trait, str]]:
    yield Trait.EMAIL, email(customer.email)
    yield Trait.PHONE, phone(customer.phone, customer.country)
    yield Trait.DOMAIN, domain(customer.email)
    words = name_words(customer.name)
    yield Trait.NAME, " ".join(words)
    for key in skeletons(words):
        yield Trait.SOUND, key


def hashed(plain: str) -> int:
    """64 bits, so that a key of a million customers is small and two texts hardly ever share one."""
    return int.from_bytes(hashlib.blake2b(plain.encode(), digest_size=8).digest(), signed=True)


def email(typed: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", typed)).casefold()


def domain(typed: str) -> str:
    """The domain of an address, or "" where anybody can have one there."""
    _, _, found = email(typed).rpartition("@")
    return "" if found in FREE_MAIL else found


def phone(typed: str, country: str) -> str:
    """E.164, or "" for what is no number. Without an international prefix the customer's country is asked."""
    international = re.sub(r"^\s*\(?00", "+", typed)
    try:
        number = phonenumbers.parse(international, region(country))
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=2_000)
def region(country: str) -> str | None:
    """The two letters of a country given by code or by its name in one of LANGUAGES; None where it is not known."""
    code = country.strip().upper()
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    return _regions().get(country.strip().casefold())


@cache
def _regions() -> dict[str, str]:
    """Two letters by name."""
    names = {"uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "usa": "US", "eire": "IE"}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in phonenumbers.SUPPORTED_REGIONS:
                names.setdefault(name.casefold(), code)
    return names


@lru_cache(maxsize=20_000)
def name_words(name: str) -> tuple[str, ...]:
    """The words that tell, without accents, in alphabetical order."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("&", " and ").replace("'", "").replace("’", ""))
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    words = re.findall(r"\w+", plain.replace(".", "") if re.search(r"\b\w\.\w\.", plain) else plain)
    return tuple(sorted(word for word in words if word not in EMPTY_WORDS) or sorted(words))


def skeletons(words: Sequence[str]) -> set[str]:
    """The skeleton of the whole name, and those in which one word is down to its first letter."""
    bare = [skeleton(word) for word in words[:MOST_WORDS]]
    found = {" ".join(sorted(bare))} if bare else set()
    if len(bare) > 1:
        for place, word in enumerate(bare):
            rest = bare[:place] + bare[place + 1 :]
            found.add(" ".join([*sorted(rest), f"{word[0]}*"]))
    return found


_ALIKE = str.maketrans({"c": "k", "q": "k", "z": "s", "d": "t", "b": "p", "v": "f", "w": "f", "h": "", "y": ""})


@lru_cache(maxsize=20_000)
def skeleton(word: str) -> str:
    """The first letter, then the consonants without doubles; those that are easily mistaken are one."""
    rest = re.sub(r"[aeiou]", "", word[1:].replace("ph", "f").replace("ck", "k").translate(_ALIKE))
    return re.sub(r"(.)\1+", r"\1", word[:1].translate(_ALIKE) + rest) or word[:1]
