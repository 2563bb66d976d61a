"""From the work a scenario asks for to its table: training, measuring, and going on where an attempt stopped."""
