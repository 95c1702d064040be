"""Languages as people name them and as they are kept: by their codes, which templates and segments ask for."""

from typing import Any

from django import forms
from django.conf.locale import LANG_INFO
from django.core.validators import MaxLengthValidator
from django.utils.translation import get_language_info

#: By a language's names, in English and in itself, in lower case.
CODES = {
    str(info[name]).lower(): code for name in ("name_local", "name") for code, info in LANG_INFO.items() if name in info
}


def called(code: str) -> str:
    """de → German; what is no language's code stays as it is."""
    try:
        return str(get_language_info(code.lower())["name"])
    except KeyError:
        return code


def code_of(said: str) -> str:
    """German and Deutsch → de; what is no language's name stays as it is."""
    return CODES.get(said.lower(), said)


class Language(forms.CharField):
    """Shown by its name where that leads back to the same code: de-AT would become de."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validators=[MaxLengthValidator(10)], **options)

    def prepare_value(self, value: Any) -> Any:
        name = called(value) if isinstance(value, str) else value
        return name if name and code_of(name) == value else value

    def to_python(self, value: Any) -> str:
        return code_of(str(super().to_python(value)))
