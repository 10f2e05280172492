"""What each error says, by its code: the one sentence of the raise sites, the API and the pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from storage.sentences import mark as _

SENTENCES: Mapping[str, str] = {
    "not_a_video": _("This file is not a video, or its kind of container is not supported."),
    "audio_only": _("This file holds sound but no moving picture."),
    "picture_only": _("This file is a still picture, not a video."),
    "no_frames": _("This file announces a video, but not one picture of it can be decoded."),
    "picture_too_large": _(
        "The picture of this video is %(width)s x %(height)s, %(megapixels)s megapixels; "
        "at most %(limit)s can be encoded here."
    ),
    "picture_too_small": _(
        "The picture of this video has %(width)s x %(height)s pixels; both must be at least %(side)s."
    ),
    "too_long": _("This video lasts %(minutes)s minutes; at most %(limit)s can be encoded here."),
    "dolby_vision_only": _(
        "This video is Dolby Vision profile 5, which only Dolby's players can show. Export it as HDR10, HLG or SDR."
    ),
    "encrypted": _(
        "The pictures of this video are encrypted, so they cannot be decoded. Upload a copy without copy protection."
    ),
    "animated_picture": _(
        "This is an animated WebP picture, which cannot be decoded here. Convert it to a GIF or a video."
    ),
    "decode_failed": _("This video is damaged and cannot be decoded."),
    "tool_failed": _("The encoder ended with an error."),
    "tool_timeout": _("The encoder stopped making progress."),
    "output_mismatch": _("The result did not have the planned number of pictures, so it was thrown away."),
    "lease_lost": _("Another encoder took over this work."),
    "attempts_spent": _("Encoding failed several times in a row."),
    "worker_lost": _("The encoder was killed while it worked on this video, perhaps for lack of memory."),
    "stalled": _("Nothing moved in this job for hours, so it was given up."),
    "manifest_unreadable": _("What was kept beside the original cannot be read."),
    "upload_incomplete": _("Fewer bytes arrived than were announced; nothing was kept."),
    "upload_empty": _("The file is empty."),
    "upload_too_large": _("This file is too large: at most %(megabytes)s MB can be uploaded here."),
    "invalid_request": _("A field of the request is missing or malformed."),
    "cross_site": _("The request came from another site and was refused."),
    "job_not_found": _("There is no such job, or it was deleted."),
    "object_not_found": _("This file does not exist any more."),
    "conflict": _("The job is not in a state that allows this."),
    "job_exists": _("There is such a job already."),
    "transition_refused": _("The job is not in a state that allows this any more."),
    "too_many_uploads": _("As many uploads are arriving as this installation takes at once."),
    "storage_full": _("The storage is full for the moment."),
    "queue_full": _("The queue is full: what was accepted keeps the encoders busy for as long as anybody should wait."),
    "owner_share": _("As many of your videos are not ready yet as one person may have here at once."),
    "draining": _("This server is being stopped. It takes uploads again soon."),
    "object_store_unavailable": _("The storage does not answer for the moment."),
    "job_store_unavailable": _("The queue does not answer for the moment."),
    "broker_unavailable": _("The queue does not answer for the moment."),
    "internal_error": _("Something went wrong on our side; it has been written to the log."),
    "busy": _("The server is busy."),
}
