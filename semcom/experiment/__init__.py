"""From a question to a table; YAML lives on this floor alone."""
