"""`kinora knative`: a command a file, with what it shows."""
