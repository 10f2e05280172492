"""The stages of a job: each takes an attempt and returns when its result is in the store."""

from __future__ import annotations

from collections.abc import Callable

from storage.model.task import Stage
from workers.attempts.attempt import Attempt
from workers.stages.audio import audio_stage
from workers.stages.early import early_audio_stage, early_plan_stage, early_segment_stage
from workers.stages.package import package_stage
from workers.stages.plan import plan_stage
from workers.stages.poster import poster_stage
from workers.stages.segment import segment_stage
from workers.stages.subtitles import subtitles_stage

STAGES: dict[Stage, Callable[[Attempt], None]] = {
    Stage.PLAN: plan_stage,
    Stage.SEGMENT: segment_stage,
    Stage.AUDIO: audio_stage,
    Stage.POSTER: poster_stage,
    Stage.SUBTITLES: subtitles_stage,
    Stage.PACKAGE: package_stage,
    Stage.EARLY_PLAN: early_plan_stage,
    Stage.EARLY_SEGMENT: early_segment_stage,
    Stage.EARLY_AUDIO: early_audio_stage,
}
