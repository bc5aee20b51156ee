"""What a broker promises, as a table that runs against any broker there is."""
