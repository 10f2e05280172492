"""Where a source is damaged, judged by what ffprobe and ffmpeg print of it; pure."""
