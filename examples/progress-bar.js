// One line that is written over and over on a terminal; elsewhere, only the lines that stay.

const width = 16;

/**
 * @param {NodeJS.WriteStream} out
 */
export function progressBar(out) {
  const live = out.isTTY === true;
  // A terminal of unknown size says 0 columns.
  /** @param {string} text */
  const over = (text) => out.write(`\r${text.slice(0, Math.max(1, (out.columns || 80) - 1))}\x1b[K`);
  return {
    /**
     * How far it is, from 0 to 1.
     *
     * @param {string} label
     * @param {number} share
     * @param {string} note
     */
    show(label, share, note) {
      const full = Math.round(share * width);
      if (live) over(`${label} [${"#".repeat(full)}${".".repeat(width - full)}] ${note}`);
    },
    /**
     * A line that stays.
     *
     * @param {string} line
     */
    keep(line) {
      if (live) over("");
      out.write(`${line}\n`);
    },
  };
}
