"""The only place that starts a process: ffmpeg and ffprobe, what they may read and where they may write."""
