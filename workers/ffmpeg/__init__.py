"""Arguments and filters for ffmpeg and ffprobe, and the boxes of the MP4s that come out; pure."""
