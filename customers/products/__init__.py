"""The product catalogue: what is sold, what it goes with, and what a customer has bought of it."""
