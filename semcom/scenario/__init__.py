"""From a question to the work it asks for: the only floor that knows YAML."""
