"""What the receiver wants, one file a task: the trip of one batch."""
