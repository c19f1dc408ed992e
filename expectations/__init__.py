"""Suites of expectations as JSON, one folder a data set, and what runs them."""
