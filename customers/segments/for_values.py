"""What can be asked of texts, numbers, choices and lists of them."""

from customers.segments.operators import KNOWN, UNKNOWN, Comparison, Sql, Takes, template

TEXT = (
    Comparison("is", "is", Takes.TEXT, "{field} is {value}", template("lower({x}) = lower(%s)")),
    Comparison(
        "is_not", "is not", Takes.TEXT, "{field} is not {value}", template("lower({x}) IS DISTINCT FROM lower(%s)")
    ),
    Comparison(
        "is_any_of",
        "is any of",
        Takes.TEXTS,
        "{field} is {value}",
        lambda x, texts, _moment: Sql(f"lower({x.text}) = ANY(%s)", (*x.params, [text.lower() for text in texts])),
    ),
    Comparison(
        "contains", "contains", Takes.TEXT, "{field} contains {value}", template("strpos(lower({x}), lower(%s)) > 0")
    ),
    Comparison(
        "starts_with",
        "starts with",
        Takes.TEXT,
        "{field} starts with {value}",
        template("starts_with(lower({x}), lower(%s))"),
    ),
    KNOWN,
    UNKNOWN,
)
#: Where one of several texts will do: "is not" of some would be said of nearly all.
ANY_TEXT = tuple(comparison for comparison in TEXT if comparison.key not in ("is_not", "is_known", "is_unknown"))
COMPARISONS = (
    Comparison("at_least", "is at least", Takes.NUMBER, "{field} is at least {value}", template("{x} >= %s")),
    Comparison("at_most", "is at most", Takes.NUMBER, "{field} is at most {value}", template("{x} <= %s")),
    Comparison("more_than", "is more than", Takes.NUMBER, "{field} is more than {value}", template("{x} > %s")),
    Comparison("less_than", "is less than", Takes.NUMBER, "{field} is less than {value}", template("{x} < %s")),
)
NUMBER = (
    *COMPARISONS,
    Comparison("equals", "is exactly", Takes.NUMBER, "{field} is exactly {value}", template("{x} = %s")),
    KNOWN,
    UNKNOWN,
)
CHOICE = (
    Comparison("is", "is", Takes.CHOICE, "{field} is {value}", template("{x} = %s")),
    Comparison("is_not", "is not", Takes.CHOICE, "{field} is not {value}", template("{x} IS DISTINCT FROM %s")),
    Comparison(
        "is_any_of",
        "is any of",
        Takes.CHOICES,
        "{field} is {value}",
        lambda x, values, _moment: Sql(f"{x.text} = ANY(%s)", (*x.params, list(values))),
    ),
)
OPTIONAL_CHOICE = (*CHOICE, KNOWN, UNKNOWN)
TAGS = (
    Comparison("has", "include", Takes.TEXT, "{field} include {value}", template("{x} @> ARRAY[%s]::varchar[]")),
    Comparison(
        "has_not",
        "do not include",
        Takes.TEXT,
        "{field} do not include {value}",
        template("NOT {x} @> ARRAY[%s]::varchar[]"),
    ),
)
SEVERAL = (
    Comparison("has", "include", Takes.CHOICE, "{field} include {value}", template("{x} @> to_jsonb(%s::text)")),
    Comparison(
        "has_not",
        "do not include",
        Takes.CHOICE,
        "{field} do not include {value}",
        template("({x} @> to_jsonb(%s::text)) IS NOT TRUE"),
    ),
    Comparison(
        "has_any_of",
        "include any of",
        Takes.CHOICES,
        "{field} include {value}",
        lambda x, values, _moment: Sql(f"{x.text} ?| %s", (*x.params, list(values))),
    ),
    KNOWN,
    UNKNOWN,
)
