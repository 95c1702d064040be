"""Custom fields: their definitions, their values, how they are asked for and told."""
