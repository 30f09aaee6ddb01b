"""The inspector: an administrator sees and runs what a token or a user would."""
