"""One archive with all that there is to read of an installation or a job, without its secrets."""
