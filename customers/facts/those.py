"""The rows of the customers asked for, in a form whose number PostgreSQL knows whatever its statistics say.

`WHERE customer_id = ANY(…)` is reckoned by the statistics of the table. Those of one whose rows were taken back, or
came since, may say "empty"; then what is joined with the one row expected is looked through anew for each of thousands.
"""


def each(table: str, key: str) -> str:
    """SQL of the rows of a table whose unique `key` is among the parameter `ids`, none of which comes twice.

    As many are expected as ids are given.
    """
    return f"""
        SELECT stands.* FROM unnest(%(ids)s::bigint[]) AS asked(id)
        CROSS JOIN LATERAL (SELECT * FROM {table} AS rows WHERE rows.{key} = asked.id OFFSET 0) AS stands
    """  # noqa: S608 - names of the product's own
