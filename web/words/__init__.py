"""Jobs and the queue in words, and the languages of the pages."""
