"""One family of networks a module; each has a function that builds any member of it."""
