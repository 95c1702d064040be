"""What a playbook's rule and its steps' days are in words."""

from customers.models import Playbook, Stage
from retention.common.counting import counted

Rule = Playbook.Rule


def rule(playbook: Playbook) -> str:
    """ "90 days before a renewal, in “Key accounts” only". Its segment is to be there already."""
    only = f", in “{playbook.segment}” only" if playbook.segment and playbook.rule != Rule.HAND else ""
    match playbook.rule:
        case Rule.SEGMENT:
            return f"When a customer enters “{playbook.segment}”"
        case Rule.QUARTER:
            return f"Once a quarter for each customer in “{playbook.segment}”"
        case Rule.STAGE:
            return f"When a customer reaches the stage {Stage(playbook.stage).label.lower()}{only}"
        case Rule.RENEWAL:
            return f"{counted(playbook.days_before or 0, 'day')} before a renewal{only}"
        case _:
            return f"{Rule(playbook.rule).label}{only}"


def ends(playbook: Playbook) -> str:
    """When its runs end before their last task is done; "" where they do not."""
    if not playbook.ends_early:
        return ""
    match playbook.rule:
        case Rule.STAGE:
            return "Stops when they leave the stage"
        case Rule.RENEWAL:
            return "Stops when nothing renews on that day any more"
        case Rule.HAND:
            return ""
        case _:
            return "Stops when they leave the segment" if playbook.segment else ""


def day(offset: int, *, by_renewal: bool) -> str:
    """ "60 days before the renewal", "7 days after the start"."""
    what = "the renewal" if by_renewal else "the start"
    if offset == 0:
        return f"The day of {what}"
    count = f"{abs(offset)} day{'' if abs(offset) == 1 else 's'}"
    return f"{count} {'before' if offset < 0 else 'after'} {what}"
