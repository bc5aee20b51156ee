"""Files that follow from others: each module gives paths and their whole text."""
