"""Every text that is put together with data, by key: pages take them from here, and scripts get them as JSON.

`%(name)s` marks what is filled in. Durations, sizes and dates are not here: CLDR words them, through Babel on the
server and Intl in the browser.
"""

from __future__ import annotations

from flask_babel import get_translations
from flask_babel import lazy_gettext as _

_STATES = {
    "state.queued": _("Waiting"),
    "state.planning": _("Planning"),
    "state.encoding": _("Encoding"),
    "state.packaging": _("Packaging"),
    "state.ready": _("Ready"),
    "state.failed": _("Failed"),
    "state.cancelled": _("Cancelled"),
}

_PROGRESS = {
    "line.1": _("Next in line"),
    "line.2": _("Second in line"),
    "line.3": _("Third in line"),
    "line.4": _("Fourth in line"),
    "line.5": _("Fifth in line"),
    "line.n": _("Number %(n)s in line"),
    "line.unknown": _("Waiting in line"),
    "line.ready_in": _("%(line)s, ready in about %(duration)s"),
    "line.starts_in": _("%(line)s, starts in about %(start)s, ready in about %(duration)s"),
    "doing.planning": _("Looking at the video"),
    "doing.encoding": _("Encoding"),
    "doing.packaging": _("Checking and putting the files together"),
    "eta.ready_in": _("Ready in about %(duration)s"),
    "eta.moment": _("Ready in a few seconds"),
    "done.ready": _("Ready to watch and download"),
    "done.took": _("Done in %(duration)s"),
    "done.failed": _("This video could not be encoded"),
    "done.cancelled": _("Can be started again"),
    "done.deleted": _("This job was deleted."),
}

_PLAN = {
    "plan.source": _("%(size)s %(codec)s at %(rate)s frames per second, %(duration)s, %(sound)s"),
    "plan.becomes": _("%(source)s → %(rungs)s"),
    "plan.interlaced": _("interlaced"),
    "plan.hdr": _("HDR"),
    "plan.no_sound": _("no sound"),
    "plan.mono": _("%(codec)s mono"),
    "plan.stereo": _("%(codec)s stereo"),
    "plan.channels": _("%(codec)s with %(n)s channels"),
    "picture.later": _("The video appears here as soon as its first seconds are encoded."),
    "picture.none": _("There is no video to show."),
    "player.auto": _("Automatic"),
    "player.auto_now": _("Automatic (%(name)s)"),
    "player.playable": _("%(part)s of %(whole)s can be watched"),
    "player.at": _("%(at)s of %(whole)s"),
    "rung.size": _("%(width)s × %(height)s"),  # noqa: RUF001 - a size is written with this sign
    "rung.download": _("Download %(name)s, %(size)s"),
    "rung.progress": _("Progress of %(name)s"),
}

_UPLOAD = {
    "drop.words": _("Drop videos here"),
    "drop.hint": _("or choose files from your device"),
    "file.waiting": _("Waiting to be sent"),
    "file.sending": _("%(percent)s sent"),
    "file.left": _("%(duration)s left"),
    "file.storing": _("Sent; waiting for the server to confirm"),
    "file.cancelled": _("Sending cancelled; nothing was kept."),
    "file.empty": _("This file is empty. Choose another one."),
    "file.too_large": _("This file is %(size)s; at most %(limit)s can be uploaded."),
    "file.retry_in": _("%(reason)s Trying again in %(duration)s; your file stays chosen."),
    "file.offline": _("The connection to the server was lost."),
    "file.busy": _("The server is busy."),
    "file.refused": _("The server did not take the file (error %(status)s)."),
    "file.gave_up": _("%(reason)s Check your connection, then press “Send now”; your file stays chosen."),
    "file.cancel": _("Cancel sending %(name)s"),
    "file.remove": _("Remove %(name)s from the list"),
    "file.retry": _("Send %(name)s now"),
    "word.cancel": _("Cancel"),
    "word.remove": _("Remove"),
}

_PAGE = {
    "live.polling": _("Live updates are interrupted; this page asks the server every few seconds instead."),
    "live.offline": _("The server cannot be reached. This page keeps trying."),
    "action.failed": _("That did not work: %(reason)s"),
    "notify.on": _("You will be told when it is done. Keep this page open."),
    "notify.blocked": _("Notifications are blocked in this browser. Allow them in its settings for this site."),
    "notify.ready": _("%(title)s is ready"),
    "notify.failed": _("%(title)s could not be encoded"),
    "notify.cancelled": _("%(title)s was cancelled"),
    "size.unknown": _("unknown size"),
    "ladder.progress": _("Progress"),
    "ladder.downloads": _("Downloads"),
    "time.now": _("just now"),
}

_QUEUE = {
    "queue.no_wait": _("none"),
    "queue.unknown": _("not known yet"),
    "queue.too_few": _("too few jobs to tell"),
    "queue.per_hour": _("%(n)s per hour"),
    "queue.of": _("%(n)s of %(whole)s"),
    "queue.little": _("%(measured)s measured, %(predicted)s predicted"),
    "queue.open": _("Uploads are taken, as long as the predicted wait is below %(limit)s."),
    "queue.closed": _("Uploads are refused for now. %(reason)s"),
    "queue.closed_until": _("Uploads are refused for now. %(reason)s There will be room in about %(duration)s."),
    "pause.scratch": _("paused: scratch disk is short"),
    "pause.memory": _("paused: memory is short"),
    "pause.overload": _("paused: overloaded"),
    "task.plan": _("looks at %(title)s"),
    "task.segment": _("segment %(n)s of %(title)s"),
    "task.audio": _("sound of %(title)s"),
    "task.poster": _("poster of %(title)s"),
    "task.package": _("puts %(title)s together"),
    "plot.at": _("at"),
    "plot.waiting": _("waiting"),
    "plot.running": _("being encoded"),
    "plot.wait": _("predicted wait, minutes"),
    "plot.arrived": _("came"),
    "plot.ended": _("ended"),
    "plot.refused": _("refused"),
}

_WARNINGS = {
    "warning.pixel_shape": _("The file declares an impossible pixel shape; square pixels were used."),
    "warning.clock_jumps": _("The file's clock jumps; the parts were joined without the gaps."),
    "warning.parts_joined": _(
        "The file's clock jumps by %(by)s s at %(at)s s; the parts were joined. Jumps in the whole file: %(n)s."
    ),
    "warning.truncated": _(
        "The file ends after %(found)s s, though it says that it lasts %(declared)s s: it was cut off."
    ),
    "warning.appended_unread": _(
        "Another recording was appended to this file and cannot be read: the last %(unread)s MB of %(whole)s MB are "
        "left out."
    ),
    "warning.shape_changes": _(
        "The picture changes its shape, first at %(seconds)s s from %(width)s x %(height)s to %(to_width)s x "
        "%(to_height)s; each part keeps its own."
    ),
    "warning.fields_change": _(
        "Only some pictures are interlaced (a first change at %(seconds)s s); they were deinterlaced."
    ),
    "warning.colour_changes": _(
        "The colours change their coding, first at %(seconds)s s; each part was converted by its own."
    ),
    "warning.pixels_change": _("The pixels change their format, first at %(seconds)s s; all became the usual one."),
    "warning.sound_changes": _(
        "The sound changes its format, first at %(at_clock)s: channels %(channels)s to %(to_channels)s, sample rate "
        "%(rate)s Hz to %(to_rate)s Hz."
    ),
    "warning.video_left_out": _("Video tracks left out: %(n)s."),
    "warning.audio_left_out": _("Audio tracks left out: %(n)s."),
    "warning.subtitle_left_out": _("Subtitle tracks left out: %(n)s."),
    "warning.video_encrypted": _("Encrypted video tracks left out: %(n)s."),
    "warning.audio_encrypted": _("Encrypted audio tracks left out: %(n)s."),
    "warning.audio_misread": _("Audio tracks left out because this ffmpeg cannot decode their PCM: %(n)s."),
    "warning.spherical": _("This is a recording of all around (360 or 180 degrees); players will show it flat."),
    "warning.stereo_beside": _("This is a stereo recording; players will show its two views side by side."),
    "warning.stereo_above": _("This is a stereo recording; players will show its two views one above the other."),
    "warning.stereo": _("This is a stereo recording; players will show its two views together."),
    "warning.not_cut": _("This file cannot be cut safely, so it was encoded in one piece."),
    "warning.cut_short": _("The file is damaged: only %(done)s s of %(whole)s s of pictures could be decoded."),
    "warning.sound_undecodable": _("The sound could not be decoded; the video is silent."),
    "warning.pictures_missing": _(
        "Pictures were missing in %(n)s places, the longest of %(longest)s s at %(at_clock)s."
    ),
    "warning.pictures_missing.one": _("Pictures were missing in one place, for %(longest)s s at %(at_clock)s."),
    "warning.pictures_repaired": _(
        "Pictures were damaged in %(n)s places, the longest of %(longest)s s at %(at_clock)s."
    ),
    "warning.pictures_repaired.one": _("Pictures were damaged in one place, for %(longest)s s at %(at_clock)s."),
    "warning.sound_missing": _("Sound was missing in %(n)s places, the longest of %(longest)s s at %(at_clock)s."),
    "warning.sound_missing.one": _("Sound was missing in one place, for %(longest)s s at %(at_clock)s."),
}

# Of the marks on the bar under the video, and of the place that is pointed at.
_DAMAGE = {
    "damage.pictures_missing": _("Pictures missing"),
    "damage.pictures_repaired": _("Pictures damaged"),
    "damage.sound_missing": _("Sound missing"),
    "damage.place": _("%(damage)s: %(duration)s s at %(at)s"),
    "damage.here": _("%(place)s. %(damage)s"),
}

_ERRORS = {
    "error.not_a_video": _("This file is not a video, or its kind of container is not supported."),
    "error.audio_only": _("This file holds sound but no moving picture."),
    "error.picture_only": _("This file is a still picture, not a video."),
    "error.no_frames": _("This file announces a video, but not one picture of it can be decoded."),
    "error.picture_too_large": _(
        "The picture of this video is %(width)s x %(height)s, %(megapixels)s megapixels; "
        "at most %(limit)s can be encoded here."
    ),
    "error.picture_too_small": _(
        "The picture of this video has %(width)s x %(height)s pixels; both must be at least %(side)s."
    ),
    "error.too_long": _("This video lasts %(minutes)s minutes; at most %(limit)s can be encoded here."),
    "error.dolby_vision_only": _(
        "This video is Dolby Vision profile 5, which only Dolby's players can show. Export it as HDR10, HLG or SDR."
    ),
    "error.encrypted": _(
        "The pictures of this video are encrypted, so they cannot be decoded. Upload a copy without copy protection."
    ),
    "error.animated_picture": _(
        "This is an animated WebP picture, which cannot be decoded here. Convert it to a GIF or a video."
    ),
    "error.decode_failed": _("This video is damaged and cannot be decoded."),
    "error.tool_failed": _("The encoder ended with an error."),
    "error.tool_timeout": _("The encoder stopped making progress."),
    "error.output_mismatch": _("The result did not have the planned number of pictures, so it was thrown away."),
    "error.lease_lost": _("Another encoder took over this work."),
    "error.attempts_spent": _("Encoding failed several times in a row."),
    "error.worker_lost": _("The encoder was killed each time it worked on this video, perhaps for lack of memory."),
    "error.stalled": _("Nothing moved in this job for hours, so it was given up."),
    "error.manifest_unreadable": _("What was kept beside the original cannot be read."),
    "error.upload_incomplete": _("Fewer bytes arrived than were announced; nothing was kept."),
    "error.upload_empty": _("The file is empty."),
    "error.upload_too_large": _("The file is larger than this installation takes."),
    "error.invalid_request": _("A field of the request is missing or malformed."),
    "error.cross_site": _("The request came from another site and was refused."),
    "error.job_not_found": _("There is no such job, or it was deleted."),
    "error.object_not_found": _("This file does not exist any more."),
    "error.conflict": _("The job is not in a state that allows this."),
    "error.job_exists": _("There is such a job already."),
    "error.transition_refused": _("The job is not in a state that allows this any more."),
    "error.too_many_uploads": _("As many uploads are arriving as this installation takes at once."),
    "error.storage_full": _("The storage is full for the moment."),
    "error.queue_full": _(
        "The queue is full: what was accepted keeps the encoders busy for as long as anybody should wait."
    ),
    "error.owner_share": _("As many of your videos are not ready yet as one person may have here at once."),
    "error.draining": _("This server is being stopped. It takes uploads again soon."),
    "error.object_store_unavailable": _("The storage does not answer for the moment."),
    "error.job_store_unavailable": _("The queue does not answer for the moment."),
    "error.broker_unavailable": _("The queue does not answer for the moment."),
    "error.internal_error": _("Something went wrong on our side; it has been written to the log."),
    "error.busy": _("The server is busy."),
    "next.media": _("Another try would end the same way. Export the video again, or upload a different file."),
    "next.attempt": _(
        "Your upload is kept: try again. If it fails again, the details below help whoever runs this server."
    ),
}

_CATEGORIES = {"one": 1, "other": 2}  # a number of each plural category

TEXTS = {**_STATES, **_PROGRESS, **_PLAN, **_UPLOAD, **_PAGE, **_QUEUE, **_WARNINGS, **_DAMAGE, **_ERRORS}


def texts() -> dict[str, str]:
    """Return all texts in the language of the present request."""
    return {key: str(text) for key, text in TEXTS.items()}


def plurals() -> dict[str, dict[str, str]]:
    """Return the texts that count something: for each key the form for one and for other numbers.

    These are the two plural categories that the pages' languages know (Korean uses `other` alone).
    """
    ungettext = get_translations().ungettext
    return {
        "files.chosen": {
            category: ungettext("%(n)s file chosen", "%(n)s files chosen", n) for category, n in _CATEGORIES.items()
        },
        "files.sent": {
            category: ungettext(
                "Your file is uploaded. Watch it in the list below.",
                "All %(n)s files are uploaded. Watch them in the list below.",
                n,
            )
            for category, n in _CATEGORIES.items()
        },
    }
