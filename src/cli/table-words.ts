/** What `parseCsv` advises to who calls it, and what to do where there is a command line instead. */
const advice: readonly (readonly [call: string | RegExp, option: string | ((all: string, names: string) => string)])[] = [
  ["say { empty: NaN } to allow it", "fill the gap, or leave the row out"],
  [
    "say { header: true } if it holds names, { header: false } if it holds data",
    "the first row holds the names of the columns, and the others numbers",
  ],
  [/say \{ ignore: (\[.*\]) \} to leave columns of text out$/, (_, names) => `write numbers there${orIgnore(JSON.parse(names))}`],
  [/say \{ delimiter: .* \}$/, "save the table with commas"],
];

/** The option that leaves columns out, where it can name them. */
function orIgnore(names: readonly string[]): string {
  const listed = names.join(",");
  if (names.some((name) => name === "" || name.includes(","))) return ", or take columns of text out of the file";
  return `, or leave columns of text out: --ignore ${/^[\w.,-]+$/.test(listed) ? listed : `'${listed.replaceAll("'", "'\\''")}'`}`;
}

/**
 * What a reader of tables says, in words of the command line.
 * @param reads what is said of a column of text where none can be left out; null where `--ignore` does it
 */
export function inTableWords(message: string, reads: string | null): string {
  if (reads !== null) message = message.replace(/say \{ ignore: .* \} to leave columns of text out$/, `${reads}: write a number`);
  return advice.reduce((text, [call, option]) => text.replace(call, typeof option === "string" ? () => option : option), message);
}
