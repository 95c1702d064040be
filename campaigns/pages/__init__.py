"""The pages about campaigns for the people who work here."""
