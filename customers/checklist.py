"""The first steps of this room."""

from customers.models import Customer, Segment
from retention.workspace.checklist import Step, add

add(
    Step(
        1,
        "Bring in your customers",
        "A file of customers or orders, as your shop or accounts export it. Columns are guessed and you correct them.",
        "Bring in a file",
        "customers:import_new",
        Customer.objects.exists,
    )
)
add(
    Step(
        2,
        "See who is at risk",
        "A segment finds the customers who have gone quiet, and keeps finding them as time passes.",
        "Make a segment",
        "customers:segment_new",
        Segment.objects.exists,
    )
)
