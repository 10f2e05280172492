"""How a job looks from outside: its JSON, its progress and its HLS playlists; pure."""
