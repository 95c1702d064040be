"""The figures that say how well health ranked customers by who left."""

from metrics.definition import Definition, Good, Unit

AMONG = "Of the customers who were active when the window began and whose health was known by then: "

HEALTH_AUC = Definition(
    name="health_auc",
    label="Right order of health (AUC)",
    unit=Unit.RATIO,
    good=Good.UP,
    formula="pairs of one who left and one who stayed, the one who left having the lower health ÷ all such pairs; "
    "equal health counts half",
    text=AMONG + "how often health put one who left below one who stayed. 0.5 is what chance makes, 1 a perfect order. "
    "It is the area under the ROC curve; its interval is DeLong’s. The health is what it was then, by the weights of "
    "that time.",
    nothing="too few",
    needs_basis=True,
)
HEALTH_LIFT = Definition(
    name="health_lift",
    label="Lift of the lowest tenth",
    unit=Unit.RATIO,
    good=Good.UP,
    formula="churn rate of the tenth with the lowest health ÷ churn rate of all whose health was known",
    text=AMONG
    + "how many times as often those with the lowest health left. 1 is what chance makes. Customers of equal "
    "health stay together, so that the tenth may be somewhat more.",
    nothing="nobody left",
    needs_basis=True,
)
CHURN_BY_HEALTH = Definition(
    name="churn_by_health",
    label="Churn rate between two healths",
    unit=Unit.SHARE,
    good=Good.DOWN,
    formula="of those active at the start with a health between the two: not active at the end ÷ all of them",
    text=AMONG + "those between the two, both included, and the share of them who were not active when it ended.",
    needs_basis=True,
)
