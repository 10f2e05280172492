"""What ffprobe does not tell of a file, read from its own headers: encryption, kinds of pictures, sizes of samples.

Every reader takes anybody's bytes: what makes no sense ends it without an error, and what is not found stays unknown.
"""
