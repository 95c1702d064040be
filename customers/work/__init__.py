"""The account managers' work: tasks, and the ranked list of who needs somebody today."""
