"""Control groups are left alone by other campaigns: mail of another would change what they are compared for."""

# SQL: the name of the campaign that holds a customer out and has not judged them yet, or null. It sees the rows
# `customer` and `campaign`, the one that would write to them, and the instant %(now)s. A campaign judges who enters it
# again by the first time only, and does so when its goal's days are over: what comes later blurs nothing.
HELD_OUT_BY = """(SELECT other.name FROM campaigns_enrolment held
                  JOIN campaigns_campaign other ON other.id = held.campaign_id
                  WHERE held.customer_id = customer.id AND held.campaign_id <> campaign.id AND held.arm = 'control'
                    AND held.entered_at > %(now)s - make_interval(days => other.goal_days)
                    AND NOT EXISTS (
                        SELECT 1 FROM campaigns_enrolment first
                        WHERE first.customer_id = held.customer_id AND first.campaign_id = held.campaign_id
                          AND (first.entered_at, first.id) < (held.entered_at, held.id))
                  ORDER BY held.entered_at, held.id LIMIT 1)"""
