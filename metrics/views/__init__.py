"""The pages of metrics: thin, each a report and its template."""
