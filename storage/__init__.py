"""What web and workers share: job records, objects, events, publishing, settings and errors."""

__version__ = "0.1.0"  # the installation has no metadata to ask: it runs from its source folder
