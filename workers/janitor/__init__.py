"""The rounds that repair, clean up and save what others left behind."""
