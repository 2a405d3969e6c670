/** Beats that may be made up for; where more are lost (a page out of sight, a long turn), the rhythm begins anew. */
const made = 2;

/** When what was due once is due again: by the rhythm and not from when it came, so that delays do not add up. */
export function nextBeat(due: number, beat: number, now: number): number {
  const next = due + beat;
  return now - next > made * beat ? now : next;
}
