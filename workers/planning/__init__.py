"""From an uploaded file to its plan: what ffprobe and the file's headers say of it, and what to make of it."""
