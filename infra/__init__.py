"""What Kinora stands on, and what is written from its contract."""
