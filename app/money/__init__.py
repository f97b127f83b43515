"""Money that moved: each transaction once, and what a fan has spent."""
