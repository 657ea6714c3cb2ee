"""Lists of parts of recordings, in the forms that other tools read: written here, and read back."""
