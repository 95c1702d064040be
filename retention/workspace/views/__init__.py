"""Thin views of the workspace's own pages."""
