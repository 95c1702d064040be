"""Taking back what an import brought in.

The journal (`customers/ingest/journal.py`) says what each run of an import made, changed and removed. `kinds` knows the
tables, `later` whether another import built on the rows, `judging` which rows have been touched since and stay,
`restoring` puts the others back, and `running` does all of it as a job, in one transaction.
"""
