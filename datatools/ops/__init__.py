"""The operations: a module or package a command group."""
