// What a script has to know of a job's states; what they are called, the server says.

const FINISHED = ["ready", "failed", "cancelled"];

/** Whether nothing more happens to the job by itself. */
export function finished(job) {
  return FINISHED.includes(job.state);
}

/** Whether the job's file is still on its way. */
export function uploading(job) {
  return job.state === "uploading";
}
