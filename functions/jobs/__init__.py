"""What a job is: its records in the object store, their keys, and the words of its ends."""
