/**
 * fabric-samples' flags have several letters behind a single dash (`-ccn`), which usual parsers read as several flags;
 * they are taken for `--ccn`. A value is never changed: flags end at `--`, and JSON or text does not look like one.
 */
export function normalizeFlags(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((word, index) =>
    (end === -1 || index < end) && /^-[a-z]{2,}$/.test(word) ? `-${word}` : word,
  );
}
