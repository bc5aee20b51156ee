"""How the files are made, by what is odd about them."""
