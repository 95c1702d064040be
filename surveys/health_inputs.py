"""What answers say about a customer's health."""

from customers.health.inputs import YEAR, Input, add

add(
    Input(
        "nps",
        "Would recommend",
        "Their latest answer, from 0 to 10, to whether they would recommend you. No data where it is older than "
        "365 days.",
        f"CASE WHEN f.nps_at > %(now)s - {YEAR} THEN f.nps_score END",
        worst=4,
        best=9,
        weight=2,
        told=lambda score: f"Answered {score:.0f} of 10",
        unit="of 10",
        edge=f"f.nps_at + {YEAR}",
    )
)
