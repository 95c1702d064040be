"""One definition per figure. The text is shown on every receipt; a change of what is counted is a new version.

Names are part of addresses and of exported files: they never change. METRICS is the source of the formulas.
"""

from metrics import definitions_of_care, definitions_of_health
from metrics.definition import Definition, Good, Unit

RETENTION_RATE = Definition(
    name="retention_rate",
    label="Customer retention rate",
    unit=Unit.SHARE,
    good=Good.UP,
    formula="active at the start and at the end ÷ active at the start",
    text="The customers who were active when the window began are the fixed group. The rate is the share of them who "
    "are active when it ends. Customers won or won back meanwhile are in neither number, so that new business cannot "
    "hide losses. Who left and came back inside the window counts as kept.",
    needs_basis=True,
)
CHURN_RATE = Definition(
    name="churn_rate",
    label="Customer churn rate",
    unit=Unit.SHARE,
    good=Good.DOWN,
    formula="active at the start, not at the end ÷ active at the start",
    text="1 − customer retention rate, over the same fixed group. Who joined and left inside the window was not active "
    "at its start and is reported beside it.",
    needs_basis=True,
)
ANNUAL_CHURN = Definition(
    name="annual_churn",
    label="Churn rate over a year",
    unit=Unit.SHARE,
    good=Good.DOWN,
    formula="1 − (1 − churn)^(windows in a year)",
    text="What the window's churn rate comes to if it goes on for a year: those who left cannot leave again, so it is "
    "compounded and not multiplied. A year is 12 months, or 365 days where the window is not made of whole months.",
    needs_basis=True,
)
ACTIVE_CUSTOMERS = Definition(
    name="active_customers",
    label="Active customers",
    unit=Unit.CUSTOMERS,
    good=Good.UP,
    formula="customers active when the window ends",
    text="Everybody who is active at the end of the window: kept, new, or come back. "
    "Active at the start − lost + new + come back = active at the end.",
    needs_basis=True,
)
NEW_CUSTOMERS = Definition(
    name="new_customers",
    label="New customers",
    unit=Unit.CUSTOMERS,
    good=Good.UP,
    formula="first active in the window, and active at its end",
    text="Customers never active before the window began who are active when it ends.",
    needs_basis=True,
)
CAME_BACK = Definition(
    name="came_back",
    label="Came back",
    unit=Unit.CUSTOMERS,
    good=Good.UP,
    formula="active before, not at the start, and again at the end",
    text="Customers who had been active before, were not when the window began, and are when it ends. They are no part "
    "of the retention rate.",
    needs_basis=True,
)
JOINED_AND_LEFT = Definition(
    name="joined_and_left",
    label="Joined and left",
    unit=Unit.CUSTOMERS,
    good=Good.DOWN,
    formula="active inside the window only",
    text="Customers who became active inside the window and were not any more when it ended. The retention rate does "
    "not see them: they are in neither of its numbers.",
    needs_basis=True,
)
LEFT_AND_RETURNED = Definition(
    name="left_and_returned",
    label="Left and returned",
    unit=Unit.CUSTOMERS,
    good=Good.NEITHER,
    formula="active at the start and at the end, but not all the time between",
    text="Customers of the fixed group who stopped being active inside the window and were active again when it ended. "
    "The retention rate counts them as kept; they are named here because they nearly were not.",
    needs_basis=True,
)
REPEAT_RATE = Definition(
    name="repeat_rate",
    label="Repeat purchase rate",
    unit=Unit.SHARE,
    good=Good.UP,
    formula="customers with two orders or more ÷ customers with one or more",
    text="Orders placed in the window. Cancelled and refunded orders count for nothing; orders without a customer are "
    "in neither number. It grows with the length of the window: compare windows of the same length.",
    nothing="no orders",
)
SECOND_ORDER_RATE = Definition(
    name="second_order_rate",
    label="Second order within 90 days",
    unit=Unit.SHARE,
    good=Good.UP,
    formula="ordered again within 90 days of the first order ÷ first-time buyers seen for 90 days",
    text="The repeat purchase rate in its matured form. It is over the customers whose first 90 days as a buyer ended "
    "in the window, so that everybody had the same time; later first-time buyers are left out until their 90 days are "
    "over. Cancelled and refunded orders count for nothing.",
    nothing="nobody seen for 90 days",
)
REVENUE = Definition(
    name="revenue",
    label="Revenue",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="sum of order amounts, less partial refunds",
    text="Orders of known customers placed in the window, in the workspace's currency. Cancelled and refunded orders "
    "count for nothing, a partial refund lowers its order. Orders without a customer and in other currencies are left "
    "out and shown beside it.",
    nothing="no orders",
)
NPS = Definition(
    name="nps",
    label="NPS",
    signed=True,
    unit=Unit.POINTS,
    good=Good.UP,
    formula="100 × (promoters − detractors) ÷ respondents",
    text="Each respondent's latest answer in the window to “how likely are you to recommend us”: 9 and 10 are "
    "promoters, 7 and 8 passives, 0 to 6 detractors. From −100 to 100 points; it is not a mean. Answers typed in by "
    "staff are left out; where answers carry survey weights, these are used. The 95 % margin is "
    "196·√((p + d − (p − d)²)/n).",
    nothing="no answers",
)

MRR = Definition(
    name="mrr",
    label="MRR",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="monthly amounts of all subscriptions in force as the window ends",
    text="Monthly recurring revenue: what subscriptions in force come to in a month, without tax and one-off charges, "
    "less discounts. A year's amount counts a twelfth, a quarter's a third, a week's 52 twelfths. Every customer's "
    "MRR is that of all their subscriptions together. Subscriptions in other currencies are left out and shown beside "
    "it, so that exchange rates move nothing. MRR at the start + new + expansion + reactivation − contraction − churn "
    "= MRR at the end.",
    nothing="no subscriptions",
)
ARR = Definition(
    name="arr",
    label="ARR",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="12 × MRR",
    text="Annual recurring revenue: what the MRR as the window ends comes to in a year if nothing changes.",
    nothing="no subscriptions",
)
NEW_MRR = Definition(
    name="new_mrr",
    label="New",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="MRR of customers on the day of their first MRR ever",
    text="What came from customers who never had MRR before, on the day they first did. What they add later is "
    "expansion.",
    nothing="no subscriptions",
)
EXPANSION_MRR = Definition(
    name="expansion_mrr",
    label="Expansion",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="rises of the MRR of customers who had some",
    text="Per customer and day, all subscriptions together: a customer who adds one subscription and drops another of "
    "the same worth on one day has not moved.",
    nothing="no subscriptions",
)
CONTRACTION_MRR = Definition(
    name="contraction_mrr",
    label="Contraction",
    unit=Unit.MONEY,
    good=Good.DOWN,
    formula="falls of the MRR of customers who keep some",
    text="Per customer and day, all subscriptions together. A fall to nothing is churn and not contraction.",
    nothing="no subscriptions",
)
CHURNED_MRR = Definition(
    name="churned_mrr",
    label="Churn",
    unit=Unit.MONEY,
    good=Good.DOWN,
    formula="MRR that customers had before it fell to nothing",
    text="On the day the last subscription of a customer ended, not the day it was cancelled.",
    nothing="no subscriptions",
)
REACTIVATION_MRR = Definition(
    name="reactivation_mrr",
    label="Reactivation",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="MRR of customers who have some again",
    text="From customers who had MRR before and none the day before. It is never added to expansion without saying so.",
    nothing="no subscriptions",
)
GROSS_RETENTION = Definition(
    name="gross_revenue_retention",
    label="Gross revenue retention",
    unit=Unit.SHARE,
    good=Good.UP,
    formula="Σ of the smaller of MRR at the end and at the start ÷ MRR at the start",
    text="Over the customers who had MRR as the window began. What they pay more makes up for no loss, so that it is "
    "never above 100 %. New and reactivated customers are in neither number.",
    nothing="no MRR at the start",
)
NET_RETENTION = Definition(
    name="net_revenue_retention",
    label="Net revenue retention",
    unit=Unit.SHARE,
    good=Good.UP,
    formula="MRR at the end of those who had some at the start ÷ MRR at the start",
    text="Over the customers who had MRR as the window began, with what they pay more. Above 100 % they grew more than "
    "they lost. New customers, and those reactivated who had none at the start, are in neither number.",
    nothing="no MRR at the start",
)
QUICK_RATIO = Definition(
    name="quick_ratio",
    label="Quick ratio",
    unit=Unit.RATIO,
    good=Good.UP,
    formula="(new + expansion + reactivation) ÷ (churn + contraction)",
    text="How many times over gained MRR makes up for lost MRR. Where nothing was lost there is no ratio.",
    nothing="no losses",
)

COHORT_ACTIVE = Definition(
    name="cohort_active",
    label="Customers who ordered in that month",
    unit=Unit.SHARE,
    good=Good.UP,
    formula="customers of the cohort with an order in the month ÷ customers of the cohort",
    text="A cohort is the customers whose first counted order fell in the same calendar month of the workspace's zone; "
    "month 0 is that month. Which orders are counted is chosen on the report and named there. A month that has not "
    "ended is marked and left out of averages, which are weighted by cohort size.",
)
COHORT_ACTIVE_LATER = Definition(
    name="cohort_active_later",
    label="Customers who ordered in that month or later",
    unit=Unit.SHARE,
    good=Good.UP,
    formula="customers of the cohort with an order in the month or after it ÷ customers of the cohort",
    text="Counts who had not yet placed their last order: it never rises along a row. Younger months look lower than "
    "they will turn out, because later orders are still to come.",
)
COHORT_REVENUE = Definition(
    name="cohort_revenue",
    label="Revenue in that month",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="sum of the cohort's order amounts in the month",
    text="Amounts less partial refunds of the orders that are counted. With all orders and credit notes, credit notes "
    "are subtracted. The average is per customer of the cohorts. "
    "Money in other currencies than the workspace's is left out; whose that is, stands beside it.",
    version=2,
)
COHORT_REVENUE_MEAN = Definition(
    name="cohort_revenue_mean",
    label="Revenue in that month per customer",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="sum of the cohorts' order amounts in the month ÷ customers of the cohorts",
    text="Over all customers of the cohorts, whether they ordered in the month or not. Cohorts for which the month has "
    "not ended are left out. "
    "Money in other currencies than the workspace's is left out; whose that is, stands beside it.",
    version=2,
)
COHORT_REVENUE_PER_CUSTOMER = Definition(
    name="cohort_revenue_per_customer",
    label="Revenue per customer up to that month",
    unit=Unit.MONEY,
    good=Good.UP,
    formula="sum of the cohort's order amounts up to the month's end ÷ customers of the cohort",
    text="Cumulative, over all customers of the cohort, whether they ordered again or not. "
    "Money in other currencies than the workspace's is left out; whose that is, stands beside it.",
    version=2,
)

EFFECT_TREATED = Definition(
    name="effect_treated",
    label="Kept, of those assigned to the campaign",
    unit=Unit.SHARE,
    good=Good.UP,
    formula="ordered within the goal's days of entering ÷ customers assigned to the campaign",
    text="Everybody assigned to get the messages counts, whether one reached them or not, and once, from their first "
    "time in the campaign. Each is judged when the goal's days after entering are over; before, they are left out. "
    "Cancelled and refunded orders count for nothing.",
)
EFFECT_CONTROL = Definition(
    name="effect_control",
    label="Kept, of those held out",
    unit=Unit.SHARE,
    good=Good.NEITHER,
    formula="ordered within the goal's days of entering ÷ customers held out as control",
    text="The same for the customers whom the campaign left alone: what would have happened anyway.",
)
EFFECT = Definition(
    name="effect",
    label="Customers kept by the campaign",
    signed=True,
    unit=Unit.SHARE_POINTS,
    good=Good.UP,
    formula="share kept of those assigned − share kept of those held out",
    text="The difference of the two shares, by assignment (intention to treat). The 95 % interval is unpooled, the "
    "two-sided p comes from the pooled z. There are two arms and one comparison, so nothing is corrected for many "
    "arms. Each customer is judged once, at a fixed horizon; interval and p hold for one look on a day chosen "
    "beforehand, nothing is corrected for looking again and again.",
)
EFFECT_REVENUE = Definition(
    name="effect_revenue",
    label="More revenue per customer",
    signed=True,
    unit=Unit.MONEY,
    good=Good.UP,
    formula="revenue per customer assigned − revenue per customer held out",
    text="Orders within the goal's days of entering, in the workspace's currency, less partial refunds, over everybody "
    "in the arm. The 95 % interval is Welch's, in the normal approximation.",
)
EFFECT_MARGIN = Definition(
    name="effect_margin",
    label="More margin per customer",
    signed=True,
    unit=Unit.MONEY,
    good=Good.UP,
    formula="more revenue per customer × the workspace's margin",
    text="The difference in revenue with its interval, times the margin share from the settings.",
)
EFFECT_NET = Definition(
    name="effect_net",
    label="Net effect",
    signed=True,
    unit=Unit.MONEY,
    good=Good.UP,
    formula="more margin per customer × customers assigned − cost of offers given",
    text="What the campaign gained in total, over the customers assigned to it who were judged. This campaign gives no "
    "offers, so their cost is 0.",
)


def _churn_of(name: str, band: str, said: str) -> Definition:
    return Definition(
        name=f"churn_{name}",
        label=f"Churn rate of customers {band}",
        unit=Unit.SHARE,
        good=Good.DOWN,
        formula=f"of those active at the start {band}: not active at the end ÷ all of them",
        text=f"The customers who were active when the window began and {said}. The rate is the share of them who were "
        "not active when it ended. The health is what it was then; what became of it later does not matter.",
        needs_basis=True,
    )


CHURN_GOOD = _churn_of("good", "in good health", "whose health was good just before")
CHURN_WATCH = _churn_of("watch", "to watch", "whose health was in the band to watch just before")
CHURN_POOR = _churn_of("poor", "in poor health", "whose health was poor just before")
CHURN_UNKNOWN = _churn_of("unknown", "of unknown health", "whose health nothing was known of by then")

_ALL = (*vars().values(), *vars(definitions_of_care).values(), *vars(definitions_of_health).values())
DEFINITIONS: dict[str, Definition] = {value.name: value for value in _ALL if isinstance(value, Definition)}
