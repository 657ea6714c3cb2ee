"""What everything else stands on: operations, their types, results and errors. Standard library only."""
