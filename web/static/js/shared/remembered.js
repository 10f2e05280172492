// What this browser remembers of its visitor's choices. One that keeps nothing, or kept something else, has none.

const PREFIX = "rungs::";

/** What was chosen last under a name, null where nothing is known. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/** Remember a choice under a name. */
export function remember(name, choice) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(choice));
  } catch {
    // It holds for this page, then.
  }
}
