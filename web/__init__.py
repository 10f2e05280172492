"""The web room: takes uploads, answers the API and the pages, delivers media. Imports storage, never workers."""
