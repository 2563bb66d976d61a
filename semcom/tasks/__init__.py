"""What is sent and what the receiver wants of it; the trip that all messages take."""
