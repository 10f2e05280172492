"""What each error says, by its code: the one sentence of the raise sites, the API and the pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from storage.sentences import mark as _

SENTENCES: Mapping[str, str] = {
    "not_a_video": _("This file is not a video, or its container format is not supported."),
    "audio_only": _("This file contains sound but no video."),
    "picture_only": _("This file is a still picture, not a video."),
    "subtitles_only": _("This file contains subtitles but no video. Upload the video that they belong to."),
    "text_only": _(
        "This file is text, not a video. A failed download may have saved a web page in its place; "
        "open it to see, then save the video again."
    ),
    "playlist_only": _(
        "This file is a playlist: it says where a video is, but does not contain it. Upload the video itself."
    ),
    "codec_unsupported": _(
        "The codec of this video is not supported here. Convert it to an MP4 with H.264, then upload that."
    ),
    "too_complex": _(
        "This file declares more pictures, sound or text than a video of the longest length has, so it is not read on. "
        "Convert it to an MP4 with H.264, then upload that."
    ),
    "no_frames": _("This file declares a video, but none of its frames can be decoded."),
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
    "encrypted": _("This video is encrypted, so it cannot be decoded. Upload a copy without copy protection."),
    "animated_picture": _(
        "This is an animated WebP picture, which cannot be decoded here. Convert it to a GIF or a video."
    ),
    "too_much_work": _(
        "Encoding this video took many times longer than its size and length suggest, so it was stopped. "
        "Convert it to an MP4 with H.264 and upload that."
    ),
    "too_costly": _(
        "Encoding this video would take one encoder %(hours)s hours; at most %(limit)s are allowed here. "
        "Upload it in shorter parts."
    ),
    "decode_failed": _("This video is damaged and cannot be decoded."),
    "tool_failed": _("The encoder ended with an error."),
    "tool_timeout": _("The encoder stopped making progress."),
    "output_mismatch": _("The encoder's result did not match the plan, so it was discarded."),
    "lease_lost": _("Another encoder took over this task."),
    "attempts_spent": _("Encoding failed several times in a row."),
    "worker_lost": _("The encoder was killed while it worked on this video, perhaps for lack of memory."),
    "stalled": _("This job made no progress for hours, so it was stopped."),
    "record_unreadable": _("The record of this job is damaged and cannot be read."),
    "manifest_unreadable": _("The job's record beside the original file cannot be read."),
    "upload_incomplete": _("The upload broke off before the file was complete. Nothing was kept."),
    "upload_empty": _("The file is empty."),
    "upload_too_large": _("This file is too large: at most %(megabytes)s MB can be uploaded here."),
    "invalid_request": _("A field of the request is missing or malformed."),
    "cross_site": _("The request came from another site and was refused."),
    "job_not_found": _("There is no such job, or it was deleted."),
    "object_not_found": _("This file does not exist any more."),
    "conflict": _("The job is not in a state that allows this."),
    "job_exists": _("This job exists already."),
    "transition_refused": _("The state of this job has changed, so this is no longer possible."),
    "too_many_uploads": _("The maximum number of uploads is arriving already."),
    "storage_full": _("The storage is full at the moment."),
    "queue_full": _(
        "The queue is full: the videos already accepted will keep the encoders busy for the longest wait allowed."
    ),
    "owner_share": _("You already have the maximum number of unfinished videos. Wait until one of them is ready."),
    "address_share": _("Your network address has the maximum number of connections here. Wait until one has ended."),
    "request_too_slow": _("The request took too long to arrive."),
    "upload_too_slow": _("The upload was too slow, so it was stopped. Nothing was kept."),
    "high_share": _(
        "You already have the maximum number of videos with high priority. Set one of them back to normal first."
    ),
    "draining": _("This server is being stopped. Uploads will be accepted again soon."),
    "object_store_unavailable": _("The storage does not answer at the moment."),
    "job_store_unavailable": _("The queue does not answer at the moment."),
    "broker_unavailable": _("The queue does not answer at the moment."),
    "internal_error": _("Something went wrong on the server. Its log has the details."),
    "busy": _("The server is busy."),
    # Answers of HTTP itself, given before anything of the request is looked at, or by what stands in front.
    "bad_request": _("The request is not valid HTTP."),
    "not_found": _("There is nothing under this address."),
    "method_not_allowed": _("This address does not take requests of this kind."),
    "request_too_large": _("The request is too large."),
    "address_too_long": _("The address is too long."),
    "range_not_satisfiable": _("The file ends before this range."),
    "expectation_failed": _("The request expects something that this server cannot do."),
    "misdirected_request": _("This server does not answer under this host name."),
    "headers_too_large": _("The headers of the request are too large. Deleting the cookies of this site may help."),
    "not_implemented": _("The body of the request is encoded in a way that this server cannot read."),
    "bad_gateway": _("The server does not answer at the moment. Please try again."),
    "service_unavailable": _("The server does not answer at the moment. Please try again."),
    "gateway_timeout": _("The server did not answer in time. Please try again."),
}
