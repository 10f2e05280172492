"""What each error says, by its code: the one sentence of the raise sites, the API and the pages. Pure.

Behind a point stands a reason, of which a code may have several.
"""

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
    "upload_incomplete.kept": _("The line broke before the upload was complete. What came is kept: send the rest."),
    "upload_expired": _("The rest of this file did not come in time, so its upload was given up."),
    "upload_not_found": _("There is no such upload: it expired, or it was ended. Begin it anew."),
    "upload_ended": _("This upload was cancelled. Nothing was kept."),
    "upload_offset": _("These bytes do not begin where the upload stands. Ask how far it is, then send the rest."),
    "upload_index": _("The index of this upload came before. It is not replaced."),
    "upload_checksum": _("What arrived is not what was sent, so none of it was kept. Send it once more."),
    "upload_type": _("Bytes of an upload are sent as application/offset+octet-stream."),
    "upload_version": _("This service speaks tus 1.0.0."),
    "upload_taken": _("Another request goes on with this upload."),
    "subtitle_unreadable": _("These are no subtitles that can be read here: SubRip, WebVTT, ASS and TTML are known."),
    "subtitle_not_found": _("There are no such subtitles among those that were added to this job."),
    "subtitles_full": _("This job has the maximum number of subtitle tracks. Remove one of them first."),
    "subtitle_too_large": _("These subtitles hold more text than any film has."),
    "upload_empty": _("The file is empty."),
    "upload_too_large": _("This file is too large: at most %(megabytes)s MB can be uploaded here."),
    "invalid_request": _("A field of the request is missing or malformed."),
    "cross_site": _("The request came from another site and was refused."),
    "job_not_found": _("There is no such job, or it was deleted."),
    "object_not_found": _("This file does not exist any more."),
    "conflict": _("The job is not in a state that allows this."),
    "conflict.original_gone": _("The original of this job is gone, so it cannot be encoded again."),
    "conflict.no_original": _("The file of this job did not come whole, so it cannot be encoded. Upload it again."),
    "conflict.still_uploading": _("The file of this job has not come whole. Add subtitles once it has."),
    "conflict.upload_is_a_job": _("This upload is complete and has become a job. Cancel or delete the job."),
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
    "upload_too_slow": _("The upload was too slow, so it was stopped. Try again on a faster line."),
    "high_share": _(
        "You already have the maximum number of videos with high priority. Set one of them back to normal first."
    ),
    "draining": _("This server is being stopped. Uploads will be accepted again soon."),
    "upload_paused": _("The next part of this video has not been uploaded yet."),
    "object_store_unavailable": _("The storage does not answer at the moment."),
    "job_store_unavailable": _("The queue does not answer at the moment."),
    "broker_unavailable": _("The queue does not answer at the moment."),
    "internal_error": _("Something went wrong on the server. Its log has the details."),
    "busy": _("The server is busy."),
    "busy.watchers": _("The maximum number of pages is being kept up to date already."),
    "busy.downloads": _("The maximum number of files is being downloaded already."),
    "busy.subtitles": _("The maximum number of subtitle files is being read already."),
    "busy.clearing": _("The files of the last run are being removed. The job can be started again in a moment."),
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

# Read by programmers alone, so in English alone: what is wrong with a request that no page of ours makes.
FAULTS: Mapping[str, str] = {
    "invalid_request.upload_length": "`Upload-Length` must be the bytes of the whole upload, once and for all.",
    "invalid_request.upload_offset": "`Upload-Offset` must be a number of bytes.",
    "invalid_request.upload_index": "An index needs `Upload-Offset` and a length, within that of the upload.",
    "invalid_request.upload_metadata": "`Upload-Metadata` must be pairs of a key and base64, separated by commas.",
    "invalid_request.upload_checksum": "`Upload-Checksum` must be `sha1` or `sha256`, a space, and base64.",
    "invalid_request.cursor": "This cursor was not given by a page of jobs.",
    "invalid_request.event_id": "This is not the id of an event.",
    "invalid_request.language": "There are no pages in this language.",
    "invalid_request.language_tag": "`language` must be a known one, such as `en`, `ko` or `pt-BR`.",
    "invalid_request.query_twice": "The query has a parameter twice: `%(name)s`.",
    "invalid_request.query": "The query has a wrong parameter: %(issues)s.",
    "invalid_request.no_json": "The body must be JSON of at most %(limit)s bytes, with its length announced.",
    "invalid_request.body": "The body is not what it must be: %(issues)s.",
    "invalid_request.webhook_characters": "`webhook_url` is too long or holds characters that a URL cannot have.",
    "invalid_request.webhook_url": "`webhook_url` is not a URL.",
    "invalid_request.webhook_scheme": "`webhook_url` must begin with http:// or https:// and name a host.",
    "invalid_request.webhook_user": "`webhook_url` must hold no user name or password.",
    "invalid_request.no_form": "The body must be a form: multipart/form-data with a boundary.",
    "invalid_request.boundary": "The form's boundary cannot be one.",
    "invalid_request.form_parts": "The form has too many parts, or a part too long headers.",
    "invalid_request.form": "The body is not a valid multipart form.",
    "invalid_request.form_overhead": "The form has more than %(limit)s bytes around its file.",
    "invalid_request.field_length": "The field `%(name)s` is longer than %(limit)s bytes.",
    "invalid_request.field_text": "The field `%(name)s` is not UTF-8.",
    "invalid_request.field_twice": "The field `%(name)s` is there twice.",
    "invalid_request.field_unknown": "A form has the fields `file`, `title`, `webhook_url` and `loudness`.",
    "invalid_request.loudness": "`loudness` is one of %(known)s LUFS, or `off`.",
    "invalid_request.file_name": "The field `file` must be a file, with a file name.",
    "invalid_request.file_field": "The file must be in the field `file`.",
    "invalid_request.files": "The form holds more than one file; send each as an upload of its own.",
    "invalid_request.no_file": "The form has no file: choose one, in the field `file`.",
}


def sentence_of(code: str, reason: str = "") -> str:
    """Return what an error of this code says for this reason. Raises KeyError for what no table has."""
    key = f"{code}.{reason}" if reason else code
    return FAULTS[key] if key in FAULTS else SENTENCES[key]


def key_of(code: str, message: str) -> str:
    """Return under which key of SENTENCES an error of this code was said so: its reason is told by nothing else."""
    reasons = (key for key, sentence in SENTENCES.items() if sentence == message and key.startswith(f"{code}."))
    return next(reasons, code)
