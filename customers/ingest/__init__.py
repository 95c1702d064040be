"""Bringing customers and their orders in from files.

A file is read a record at a time (`reader`), its columns become fields as a mapping says (`mapping`, guessed by
`guess`), the records are copied into a staging table and judged there set-wise (`staging`), and what is good is merged
in one transaction (`merging`). `running` does all of it as a job.
"""
