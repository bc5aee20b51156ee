"""Files that are odd, damaged or hostile, and what becomes of each."""
