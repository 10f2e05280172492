"""Every text that is put together with data, by key: pages take them from here, and scripts get them as JSON.

`%(name)s` marks what is filled in. Durations, sizes and dates are not here: CLDR words them, through Babel on the
server and Intl in the browser.
"""

from __future__ import annotations

from flask_babel import get_translations
from flask_babel import lazy_gettext as _

from storage.error_sentences import SENTENCES as ERRORS
from storage.model.job_warnings import SENTENCES as WARNINGS

_STATES = {
    "state.uploading": _("Uploading"),
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
    "doing.uploading": _("%(received)s of %(length)s has come"),
    "doing.uploading_any": _("%(received)s has come"),
    "doing.uploading_rests": _("%(line)s. Nothing comes at the moment."),
    "doing.uploading_all": _("All of it has come, and it is being stored"),
    "doing.planning": _("Looking at the video"),
    "doing.encoding": _("Encoding"),
    "doing.packaging": _("Checking and putting the files together"),
    "eta.ready_in": _("Ready in about %(duration)s"),
    "eta.moment": _("Ready in a few seconds"),
    "done.ready": _("Ready to watch and download"),
    "done.took": _("Done in %(duration)s"),
    "done.failed": _("This video could not be encoded"),
    "done.cancelled": _("Can be started again"),
    "done.incomplete": _("The upload ended before the whole file had come. Nothing was kept."),
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
    "player.in_chapter": _("%(place)s, %(title)s"),
    "chapter.number": _("Chapter %(n)s"),
    "track.off": _("Off"),
    "track.sdh": _("%(name)s (SDH)"),
    "track.forced": _("%(name)s (forced)"),
    "track.audio": _("Audio"),
    "track.unknown": _("unknown"),
    "loudness.one": _("Loudness: %(measured)s"),
    "loudness.of": _("Loudness of %(name)s: %(measured)s"),
    "loudness.measured": _("%(integrated)s LUFS, range %(range)s LU, true peak %(peak)s dBTP"),
    "loudness.louder": _("%(measured)s; made %(gain)s dB louder"),
    "loudness.quieter": _("%(measured)s; made %(gain)s dB quieter"),
    "loudness.limited": _("%(measured)s; its peaks allow no more, %(lacks)s LU below %(wanted)s LUFS"),
    "subtitle.plain": _("Subtitles"),
    "subtitle.sdh": _("For the deaf and hard of hearing"),
    "subtitle.forced": _("Only foreign speech"),
    "subtitle.file": _("from the video's file"),
    "subtitle.added": _("added"),
    "subtitle.download": _("Download the subtitles %(name)s"),
    "subtitle.replace": _("Replace the subtitles %(name)s"),
    "subtitle.delete": _("Delete the subtitles %(name)s"),
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
    "file.storing": _("Sent, waiting for the server to confirm"),
    "file.paused": _("Paused, %(percent)s of %(size)s sent"),
    "file.elsewhere": _("Another tab of this browser goes on with this file. %(percent)s sent."),
    "file.unfinished": _("%(percent)s of %(size)s sent. Choose or drop this file again, and its upload goes on."),
    "file.another": _("You chose another file. Choose %(name)s, and its upload goes on."),
    "file.ending": _("Cancelling"),
    "file.cancelled": _("The upload was cancelled. Nothing was kept."),
    "file.cancelled_there": _("The upload was cancelled on another page. Nothing was kept."),
    "file.cancelled_alone": _(
        "The upload was cancelled, but the server could not be told. It removes by itself what has come."
    ),
    "file.empty": _("This file is empty. Choose another one."),
    "file.too_large": _("This file is %(size)s. At most %(limit)s can be uploaded."),
    "file.unreadable": _("This file cannot be read any more: it was changed, moved or removed. Choose it again."),
    "file.retry_in": _("%(reason)s Trying again in %(duration)s. Your file stays chosen."),
    "file.offline": _("The connection to the server was lost."),
    "file.busy": _("The server is busy."),
    "file.refused": _("The server did not accept the file (error %(status)s)."),
    "file.cancel": _("Cancel sending %(name)s"),
    "file.remove": _("Remove %(name)s from the list"),
    "file.retry": _("Send %(name)s now"),
    "file.take": _("Send %(name)s here"),
    "file.pause": _("Pause sending %(name)s"),
    "file.resume": _("Go on sending %(name)s"),
    "file.open": _("Watch the job of %(name)s in a new tab"),
    "file.choose": _("Choose the file %(name)s"),
    "total.sent": _("%(n)s of %(whole)s files, %(percent)s sent"),
    "word.pause": _("Pause"),
    "word.resume": _("Resume"),
    "word.retry": _("Send now"),
    "word.take": _("Send here"),
    "word.pause_all": _("Pause all"),
    "word.resume_all": _("Resume all"),
    "word.cancel": _("Cancel"),
    "word.remove": _("Remove"),
}

_PAGE = {
    "live.polling": _("Live updates are interrupted. This page now asks the server every few seconds."),
    "live.offline": _("The server cannot be reached. This page keeps trying."),
    "action.cancel": _("Cancel the encoding"),
    "action.cancel_upload": _("Cancel the upload"),
    "action.failed": _("That did not work: %(reason)s"),
    "action.later": _("That did not work: %(reason)s Try again in %(duration)s."),
    "notify.on": _("You will get a notification when the video is done. Keep this page open."),
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
    "queue.too_few": _("not enough jobs yet"),
    "queue.per_hour": _("%(n)s per hour"),
    "queue.of": _("%(n)s of %(whole)s"),
    "queue.little": _("%(measured)s measured, %(predicted)s predicted"),
    "queue.open": _("Uploads are accepted while the predicted wait is below %(limit)s."),
    "queue.closed": _("Uploads are refused at the moment. %(reason)s"),
    "queue.closed_until": _("Uploads are refused at the moment. %(reason)s There will be room in about %(duration)s."),
    "pause.scratch": _("paused: scratch disk is nearly full"),
    "pause.memory": _("paused: little memory is free"),
    "pause.overload": _("paused: the machine is overloaded"),
    "lacks.files": _("no sandbox around files"),
    "lacks.ports": _("no sandbox around ports"),
    "lacks.calls": _("no sandbox around system calls"),
    "task.plan": _("looks at %(title)s"),
    "task.segment": _("segment %(n)s of %(title)s"),
    "task.audio": _("sound of %(title)s"),
    "task.poster": _("poster of %(title)s"),
    "task.subtitles": _("subtitles of %(title)s"),
    "task.package": _("puts %(title)s together"),
    "plot.at": _("at"),
    "plot.waiting": _("waiting"),
    "plot.running": _("being encoded"),
    "plot.wait": _("predicted wait, minutes"),
    "plot.arrived": _("arrived"),
    "plot.ended": _("ended"),
    "plot.refused": _("refused"),
}

# Of the marks on the bar under the video, and of the place that is pointed at.
_DAMAGE = {
    "damage.pictures_missing": _("Pictures missing"),
    "damage.pictures_repaired": _("Pictures damaged"),
    "damage.sound_missing": _("Sound missing"),
    "damage.place": _("%(damage)s: %(duration)s s at %(at)s"),
    "damage.here": _("%(place)s. %(damage)s"),
}

_NEXT = {
    "next.media": _("Trying again would not help. Export the video again, or upload a different file."),
    "next.upload": _("Upload the file again."),
    "next.attempt": _(
        "Your upload is kept, so you can try again. If it fails again, send the details below to the administrator of "
        "this server."
    ),
}

_CATEGORIES = {"one": 1, "other": 2}  # a number of each plural category

# What the server's records and answers say in English, by the same sentences.
_WARNINGS = {f"warning.{code}": _(sentence) for code, sentence in WARNINGS.items()}
_ERRORS = {f"error.{code}": _(sentence) for code, sentence in ERRORS.items()}

_FOR_SCRIPTS = {**_STATES, **_PROGRESS, **_PLAN, **_UPLOAD, **_PAGE, **_QUEUE, **_DAMAGE, **_NEXT}
TEXTS = {**_FOR_SCRIPTS, **_WARNINGS, **_ERRORS}


def texts() -> dict[str, str]:
    """Return the texts that a page's scripts may show, in the language of the present request."""
    return {key: str(text) for key, text in _FOR_SCRIPTS.items()}


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
